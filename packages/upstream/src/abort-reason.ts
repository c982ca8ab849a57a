/** Why a call is stopped from outside: what an AbortSignal's `reason` must be, so that the Outcome can say it. */

export type AbortReason =
  /** Somebody cancelled the job. */
  | { kind: 'cancelled' }
  /** This process is going down and gives the job back. */
  | { kind: 'shutdown' }
  /** Another worker owns the job now. */
  | { kind: 'lost' }
  /** The job's own deadline has passed. */
  | { kind: 'deadline' };

export type AbortKind = AbortReason['kind'];

const KINDS: Readonly<Record<AbortKind, true>> = { cancelled: true, shutdown: true, lost: true, deadline: true };

/**
 * The kind that a signal's reason carries. A reason that is none of ours counts as `shutdown`: that gives the job back
 * without using up an attempt, the only answer that cannot harm it.
 */
export function abortKind(reason: unknown): AbortKind {
  const kind = typeof reason === 'object' && reason !== null && 'kind' in reason ? reason.kind : undefined;
  return typeof kind === 'string' && Object.hasOwn(KINDS, kind) ? (kind as AbortKind) : 'shutdown';
}
