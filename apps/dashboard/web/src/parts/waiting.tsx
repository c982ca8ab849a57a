/** What jobs wait for, in words, with until when where that is known. */
import type { WaitingFor } from '@millrace/queue';
import { formatDuration } from '../format.ts';

/** A shorter wait is over before it is read. */
const TOLD_FROM_MS = 1000;

const HELD: ReadonlySet<string> = new Set(['queue_paused', 'no_worker', 'breaker', 'limit_closed']);

/** Whether the reason keeps jobs back, whichever they are; its message is a sentence then, else what they wait for. */
export const isHeld = ({ reason }: WaitingFor): boolean => HELD.has(reason);

/** Until when a single job waits, ms; null: not known, or its words say so already. */
export function endOfWait({ reason, until }: WaitingFor): number | null {
  return reason === 'delay' || reason === 'backoff' ? until : null;
}

export function Waiting({ waiting }: { waiting: WaitingFor }) {
  const { until, message } = waiting;
  const leftMs = until === null ? 0 : until - Date.now();
  return (
    <>
      {isHeld(waiting) && <span className="badge warn">held</span>} <bdi>{message}</bdi>
      {leftMs >= TOLD_FROM_MS && <small className="under">for {formatDuration(leftMs)}</small>}
    </>
  );
}
