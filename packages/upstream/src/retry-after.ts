/** How long an upstream asks to be left alone. */
import type { AnswerHeaders } from './answer-headers.ts';

/** No honest server asks for more; past this a due time no longer fits where times are kept. */
export const MAX_RETRY_AFTER_MS = 366 * 86_400_000;

const DECIMAL = /^\s*\d+(\.\d+)?\s*$/;

/**
 * Milliseconds from now until the time that `retry-after-ms` or `retry-after` (seconds, or an HTTP date) asks for,
 * however long; 0 where nothing readable is asked. A date is measured against the answer's own `date` header: the
 * upstream's clock need not agree with ours.
 */
export function retryAfterMs(headers: AnswerHeaders): number {
  const exact = headers.get('retry-after-ms');
  if (exact !== null && DECIMAL.test(exact)) return bounded(Number(exact));
  const after = headers.get('retry-after');
  if (after === null) return 0;
  if (DECIMAL.test(after)) return bounded(Number(after) * 1000);
  const now = Date.parse(headers.get('date') ?? '');
  return bounded(Date.parse(after) - (Number.isNaN(now) ? Date.now() : now));
}

function bounded(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.ceil(Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS));
}
