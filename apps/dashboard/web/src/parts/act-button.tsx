/** A button that changes something by one POST: an operator's only, once at a time, asked twice where it cannot be undone, its refusal beside it. */
import { useState } from 'react';
import { fetchJson } from '../api.ts';
import { useOperator } from '../session.tsx';

export interface ActButtonProps<T> {
  path: string;
  /** What it does, seen. */
  text: string;
  /** What it does and to what, for who does not see where it stands. */
  label?: string;
  /** Asked before it is done. */
  sure?: string;
  onDone?: (answer: T) => void;
}

export function ActButton<T>({ path, text, label, sure, onDone }: ActButtonProps<T>) {
  const operator = useOperator();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const act = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      // Not as the argument of the call: where nobody wants to know, nothing would be sent.
      const answer = await fetchJson<T>(path, { method: 'POST' });
      onDone?.(answer);
    } catch (error) {
      setProblem(error instanceof TypeError ? 'The dashboard’s server does not answer.' : (error as Error).message);
    } finally {
      setBusy(false);
      setAsking(false);
    }
  };
  return (
    <span className="act">
      {asking ? (
        <>
          {sure}{' '}
          <button type="button" className="danger" disabled={busy} onClick={() => void act()}>
            Yes, {text.toLowerCase()}
          </button>{' '}
          <button type="button" disabled={busy} onClick={() => setAsking(false)}>
            No
          </button>
        </>
      ) : (
        <button
          type="button"
          className={sure === undefined ? undefined : 'danger'}
          aria-label={label}
          disabled={busy || !operator}
          title={operator ? undefined : 'Only operators may: you are signed in as a viewer'}
          onClick={() => (sure === undefined ? void act() : setAsking(true))}
        >
          {text}
        </button>
      )}
      {problem !== null && (
        <span className="act-problem" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
