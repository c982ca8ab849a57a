/** When an attempt came how far, noted as it happens and kept with its end: no word to Redis is said for it. */
import type { AttemptTimeline } from '@millrace/core';

export interface Timeline {
  /** Its call may start. */
  admitted(waitedFor: AttemptTimeline['waited_for']): void;
  /** @param startedAt when Redis recorded its intent, ms */
  begun(startedAt: number): void;
  /** A call is sent. */
  called(): void;
  /** An event of its stream has come. */
  event(type: string): void;
  /** null: it has not begun. */
  read(): AttemptTimeline | null;
}

/** To be opened when the job has been taken. This process's clock measures spans only; the moments are Redis's. */
export function openTimeline(): Timeline {
  const takenAt = performance.now();
  let admittedAt = takenAt;
  let waitedFor: AttemptTimeline['waited_for'] = null;
  let begunAt: number | null = null;
  let startedAt = 0;
  let calledAt: number | null = null;
  let firstTokenAt: number | null = null;
  const moment = (at: number): number => Math.round(startedAt + at - (begunAt ?? at));
  return {
    admitted: (by) => {
      admittedAt = performance.now();
      waitedFor = by;
    },
    begun: (at) => {
      begunAt = performance.now();
      startedAt = at;
    },
    called: () => {
      calledAt ??= performance.now();
    },
    event: (type) => {
      if (firstTokenAt === null && type.endsWith('.delta')) firstTokenAt = performance.now();
    },
    read: () =>
      begunAt === null
        ? null
        : {
            taken_at: moment(takenAt),
            waited_ms: Math.round(admittedAt - takenAt),
            waited_for: waitedFor,
            called_at: calledAt === null ? null : moment(calledAt),
            first_token_at: firstTokenAt === null ? null : moment(firstTokenAt),
          },
  };
}
