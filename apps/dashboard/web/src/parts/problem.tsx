/** An error in place of what it kept from being shown. */
export function Problem({ error, again }: { error: Error; again?: () => void }) {
  return (
    <div className="notice bad" role="alert">
      <p>{error instanceof TypeError ? 'The dashboard’s server does not answer.' : error.message}</p>
      {again !== undefined && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}
