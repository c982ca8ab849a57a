/** An error in place of what it kept from being shown. What is only away for now is asked for again by itself. */
import { useEffect, useRef } from 'react';
import { ApiError } from '../api.ts';

const AGAIN_MS = 2000;

export function Problem({ error, again }: { error: Error; again?: () => void }) {
  const away = error instanceof ApiError && error.status === 503;
  const retry = useRef(again);
  retry.current = again;
  // A new error is a new wait.
  useEffect(() => {
    if (!away || error === null) return;
    const timer = setTimeout(() => retry.current?.(), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [away, error]);
  // What was asked for wrongly is as wrong the next time.
  const mayHelp = !(error instanceof ApiError) || error.status >= 500;
  return (
    <div className="notice bad" role="alert">
      <p>{wordsOf(error)}</p>
      {again !== undefined && away && <p>Asked for again every two seconds.</p>}
      {again !== undefined && mayHelp && !away && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

function wordsOf(error: Error): string {
  if (error instanceof TypeError) return 'The dashboard’s server does not answer.';
  // The server's words are for who submits jobs.
  if (error instanceof ApiError && error.code === 'redis_unavailable') return 'Redis cannot be reached.';
  return error.message;
}
