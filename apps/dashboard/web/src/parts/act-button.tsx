/** A button that changes something by one POST: once at a time, off for viewers with the reason, its failure beside it. */
import { useState } from 'react';
import { fetchJson } from '../api.ts';
import { useOperator } from '../session.tsx';

export interface ActButtonProps {
  path: string;
  /** What it does, seen. */
  text: string;
  /** What it does and to what, for who does not see where it stands. */
  label: string;
}

export function ActButton({ path, text, label }: ActButtonProps) {
  const operator = useOperator();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const act = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await fetchJson(path, { method: 'POST' });
    } catch (error) {
      setProblem(error instanceof TypeError ? 'The dashboard’s server does not answer.' : (error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className="act">
      <button
        type="button"
        aria-label={label}
        disabled={busy || !operator}
        title={operator ? undefined : 'Only operators may: you are signed in as a viewer'}
        onClick={() => void act()}
      >
        {text}
      </button>
      {problem !== null && (
        <span className="act-problem" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
