/** A button that changes something: an operator's only, asked twice where it cannot be undone, its refusal in words. */
import { useState } from 'react';
import { fetchJson } from '../api.ts';
import { useOperator } from '../session.tsx';
import { Problem } from './problem.tsx';

export interface ActButtonProps<T> {
  text: string;
  /** What it posts to. */
  path: string;
  /** Asked before it is done. */
  sure?: string;
  onDone?: (answer: T) => void;
}

export function ActButton<T>({ text, path, sure, onDone }: ActButtonProps<T>) {
  const operator = useOperator();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const act = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const answer = await fetchJson<T>(path, { method: 'POST' });
      onDone?.(answer);
    } catch (reason) {
      setError(reason as Error);
    } finally {
      setBusy(false);
      setAsking(false);
    }
  };
  return (
    <div className="act">
      {asking ? (
        <p>
          {sure}{' '}
          <button type="button" className="danger" disabled={busy} onClick={() => void act()}>
            Yes, {text.toLowerCase()}
          </button>{' '}
          <button type="button" disabled={busy} onClick={() => setAsking(false)}>
            No
          </button>
        </p>
      ) : (
        <button
          type="button"
          className={sure === undefined ? '' : 'danger'}
          disabled={!operator || busy}
          title={operator ? undefined : 'Your key is a viewer’s: it may look, not change.'}
          onClick={() => (sure === undefined ? void act() : setAsking(true))}
        >
          {text}
        </button>
      )}
      {error !== null && <Problem error={error} />}
    </div>
  );
}
