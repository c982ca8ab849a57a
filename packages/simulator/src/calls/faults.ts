/** The ways a call can go wrong, and which call gets which. */

/** Before any work: nothing is billed. */
export const FAULTS_BEFORE_WORK = [
  '429',
  'quota',
  '400',
  '401',
  '403',
  '404',
  '408',
  '409',
  '422',
  '500',
  '502html',
  '503',
  'reset',
  'silent',
] as const;

/**
 * After work began: the call is billed, whatever reaches the client. `mute` answers nothing at all; `gone` and
 * `unreadable` are about retrieving the response (404; 500 at first), and `queued` about a background response whose
 * work never begins, which costs its input once it is cancelled.
 */
export const FAULTS_AFTER_WORK = [
  'mute',
  'stall',
  'rst',
  'fin',
  'badjson',
  'hugeline',
  'noterminal',
  'failed',
  'incomplete',
  'refusal',
  'wrongid',
  'gone',
  'unreadable',
  'queued',
  'badschema',
  'slow',
] as const;

export const FAULT_KINDS = [...FAULTS_BEFORE_WORK, ...FAULTS_AFTER_WORK] as const;

export type FaultBeforeWork = (typeof FAULTS_BEFORE_WORK)[number];
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  kind: FaultKind;
  /** The share of calls that get it, 0 to 1. Where the shares add up to more than 1, the first ones win. */
  probability: number;
  /** At most this many calls in total. */
  times?: number;
  /** Seconds a 429 asks the client to wait. */
  afterSeconds?: number;
}

/** A fault that hits one call, with what its words in the prompt asked for. */
export interface ChosenFault {
  kind: FaultKind;
  /** `after=90`: seconds a 429 asks the client to wait. */
  afterSeconds?: number;
  /** `code=invalid_prompt`: the code a failed response carries. */
  code?: string;
  /** `ms=500`: how much later a slow answer comes. */
  ms?: number;
  /** `times=3`: how many retrieves of an unreadable response fail; default 1. */
  times?: number;
}

const KINDS: ReadonlySet<string> = new Set(FAULT_KINDS);
const BEFORE: ReadonlySet<string> = new Set(FAULTS_BEFORE_WORK);

export function isFaultKind(word: string): word is FaultKind {
  return KINDS.has(word);
}

export function isBeforeWork(kind: FaultKind): kind is FaultBeforeWork {
  return BEFORE.has(kind);
}

export interface FaultDice {
  /** The fault of a call that drew `draw` from [0, 1); undefined for none. Counts it against its `times`. */
  choose(draw: number): ChosenFault | undefined;
}

/** One draw decides: each fault owns a stretch of [0, 1) as long as its probability. */
export function createFaultDice(faults: readonly Fault[]): FaultDice {
  const left = faults.map((fault) => fault.times ?? Number.POSITIVE_INFINITY);
  return {
    choose(draw) {
      let end = 0;
      for (const [index, fault] of faults.entries()) {
        end += fault.probability;
        if (draw >= end) continue;
        const remaining = left[index] ?? 0;
        if (remaining <= 0) return undefined;
        left[index] = remaining - 1;
        return fault.afterSeconds === undefined
          ? { kind: fault.kind }
          : { kind: fault.kind, afterSeconds: fault.afterSeconds };
      }
      return undefined;
    },
  };
}
