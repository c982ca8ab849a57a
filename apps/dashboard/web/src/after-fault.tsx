/** In place of a page that failed while it was shown: that is a fault of ours, and must not look like nothing at all. */
export function Broken({ error }: { error: unknown }) {
  return (
    <main>
      <h1>This page broke</h1>
      <p className="notice bad" role="alert">
        By a fault of the dashboard’s; the jobs go on. <bdi>{String(error).slice(0, 300)}</bdi>
      </p>
      <p>
        <button type="button" onClick={() => location.reload()}>
          Load it again
        </button>{' '}
        <a href="/">Overview</a>
      </p>
    </main>
  );
}
