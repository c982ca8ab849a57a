/** A button that changes something by one POST: an operator's only, once at a time, asked twice where it cannot be undone, its refusal beside it. */
import { useRef, useState } from 'react';
import { fetchJson } from '../api.ts';
import { useOperator } from '../session.tsx';
import { useKeptFocus } from './keep-focus.ts';
import { Question } from './question.tsx';

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
  const whole = useRef<HTMLSpanElement>(null);
  // Answered No, or done: back on the button that asked.
  const answered = useRef(false);
  useKeptFocus(whole);
  const close = (): void => {
    answered.current = asking;
    setAsking(false);
  };
  const act = async (): Promise<void> => {
    // Not disabled meanwhile: that would take the focus away.
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const answer = await fetchJson<T>(path, { method: 'POST' });
      onDone?.(answer);
    } catch (error) {
      setProblem(error instanceof TypeError ? 'The dashboard’s server does not answer.' : (error as Error).message);
    } finally {
      setBusy(false);
      close();
    }
  };
  return (
    <span className="act" ref={whole}>
      {asking ? (
        <Question
          yes={`Yes, ${text.toLowerCase()}`}
          no="No"
          tone="danger"
          busy={busy}
          onYes={() => void act()}
          onNo={close}
        >
          {sure}
        </Question>
      ) : (
        <button
          type="button"
          ref={(button) => {
            if (!answered.current) return;
            answered.current = false;
            button?.focus();
          }}
          className={sure === undefined ? undefined : 'danger'}
          aria-label={label}
          aria-disabled={busy}
          disabled={!operator}
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
