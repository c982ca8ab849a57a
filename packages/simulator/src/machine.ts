/** The state of one simulator: what was asked so far, what may come, what was answered and billed. */
import { createFaultDice, FAULT_KINDS, type Fault, type FaultKind } from './calls/faults.ts';
import { createLedger } from './calls/ledger.ts';
import { createLimiter, type Limits } from './calls/limits.ts';
import { createPromptCache } from './calls/prompt-cache.ts';
import { createOccurrences } from './calls/random.ts';
import { createStore } from './calls/store.ts';
import type { SimulatorOptions } from './options.ts';
import { CHARACTERS_PER_TOKEN } from './request/input-text.ts';

/** About 150 MB of entries; a benchmark of a million calls still has every one. */
const MAX_LEDGER_ENTRIES = 1_000_000;
/** Contents whose number of calls is remembered; a forgotten one starts again at its first. */
const MAX_CONTENTS = 1_000_000;
const MAX_STORED_RESPONSES = 20_000;
/** 20,000 stored requests of ordinary size fit; long documents push older responses out sooner. */
const MAX_STORED_CHARACTERS = 256 * 1024 * 1024;

export interface SimulatorStats {
  /** Create requests received. */
  requests: number;
  /** Those over a limit; injected 429s are counted under `faults`. */
  limited: number;
  /** Those refused as invalid or without a known key. */
  refused: number;
  /** Injected faults by kind. */
  faults: Record<FaultKind, number>;
  /** Calls admitted and not yet done: foreground until their connection is, background until their work is. */
  inFlight: number;
  maxInFlight: number;
  /** Calls work was done for. */
  billed: number;
  delivered: number;
  inputTokens: number;
  outputTokens: number;
  /** Finished responses that can be retrieved. */
  stored: number;
}

/** Everything the handlers share. */
export type Machine = ReturnType<typeof createMachine>;

/** A simulator's state, empty. */
export function createMachine(options: SimulatorOptions) {
  const ledger = createLedger(MAX_LEDGER_ENTRIES);
  const store = createStore(MAX_STORED_RESPONSES, MAX_STORED_CHARACTERS);
  const counts = {
    requests: 0,
    limited: 0,
    refused: 0,
    faults: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>,
    inFlight: 0,
    maxInFlight: 0,
    delivered: 0,
    inputTokens: 0,
    outputTokens: 0,
  };
  const machine = {
    options,
    apiKeys: options.apiKeys && new Set(options.apiKeys),
    limiter: createLimiter(options.limits ?? {}),
    dice: createFaultDice(options.faults ?? []),
    occurrences: createOccurrences(MAX_CONTENTS),
    promptFaults: createOccurrences(MAX_CONTENTS),
    promptCache:
      options.promptCache === false
        ? undefined
        : createPromptCache({
            seed: options.seed ?? 1,
            charactersPerToken: options.charactersPerToken ?? CHARACTERS_PER_TOKEN,
          }),
    ledger,
    store,
    counts,
    /** Replaces the faults by probability; their `times` start anew. */
    setFaults(faults: Fault[]): void {
      machine.dice = createFaultDice(faults);
    },
    /** Replaces the limits; every bucket starts full. */
    setLimits(limits: Limits): void {
      machine.limiter = createLimiter(limits);
    },
    stats(): SimulatorStats {
      return { ...counts, faults: { ...counts.faults }, billed: ledger.billed, stored: store.finished };
    },
  };
  return machine;
}
