/** Asked before what cannot be undone, or costs: it takes the focus, to its No, and Escape is No as well. */
import { type ReactNode, useEffect, useRef } from 'react';

interface QuestionProps {
  children: ReactNode;
  /** What its Yes does. */
  yes: string;
  no: string;
  tone: 'danger' | 'primary';
  busy: boolean;
  onYes(): void;
  onNo(): void;
}

export function Question({ children, yes, no, tone, busy, onYes, onNo }: QuestionProps) {
  const refusal = useRef<HTMLButtonElement>(null);
  useEffect(() => refusal.current?.focus(), []);
  return (
    <span
      className="question"
      role="alertdialog"
      aria-label="Are you sure?"
      onKeyDown={({ key }) => {
        if (key === 'Escape' && !busy) onNo();
      }}
    >
      <span>{children}</span>
      <button type="button" className={tone} aria-disabled={busy} onClick={() => busy || onYes()}>
        {yes}
      </button>
      <button type="button" ref={refusal} aria-disabled={busy} onClick={() => busy || onNo()}>
        {no}
      </button>
    </span>
  );
}
