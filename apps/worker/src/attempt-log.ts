/**
 * What is logged of one attempt is kept with its end, too: who looks at the job need not look for its worker's log. Only
 * fixed words and codes get there; a message of an error may quote what was asked.
 */
import type { AttemptLine, Log } from '@millrace/core';

export interface AttemptLog {
  /** The worker's log; warnings and more, and what is told of the job's course, are kept here as well. */
  log: Log;
  /** Kept without being logged. */
  note(level: AttemptLine['level'], text: string): void;
  /** null: nothing was said. */
  lines(): AttemptLine[] | null;
}

const MAX_LINES = 20;
const MAX_CHARACTERS = 300;
const LEVELS = ['info', 'warn', 'error'] as const;

/** @param startedAt when the attempt began by Redis's clock, ms: that is now */
export function openAttemptLog(log: Log, startedAt: number): AttemptLog {
  const openedAt = performance.now();
  const kept: AttemptLine[] = [];
  let more = 0;
  const note = (level: AttemptLine['level'], text: string): void => {
    // The last place tells how many found none.
    if (kept.length >= MAX_LINES - 1) return void more++;
    const at = Math.round(startedAt + performance.now() - openedAt);
    kept.push({ at, level, text: text.slice(0, MAX_CHARACTERS) });
  };
  const own = log.child({});
  for (const level of LEVELS) {
    own[level] = (fields: unknown, ...rest: unknown[]): void => {
      (log[level] as (...args: unknown[]) => void)(fields, ...rest);
      const [text] = rest;
      if (typeof text === 'string') note(level, `${text}${codeOf(fields)}`);
    };
  }
  return {
    log: own,
    note,
    lines: () => {
      if (kept.length === 0) return null;
      if (more === 0) return kept;
      const last = kept.at(-1) as AttemptLine;
      return [...kept, { at: last.at, level: 'warn', text: `${more} more are in the worker’s log` }];
    },
  };
}

function codeOf(fields: unknown): string {
  const { err } = (fields ?? {}) as { err?: unknown };
  if (!(err instanceof Error)) return '';
  const { code } = err as { code?: unknown };
  return ` (${typeof code === 'string' ? code : err.name})`;
}
