/** Every call that cost money, once, whether or not its answer arrived: the simulator's bill. */

export type BilledOutcome = 'completed' | 'incomplete' | 'failed' | 'cancelled';

/** The API by which a call came. */
export type Api = 'responses' | 'chat';

export interface LedgerEntry {
  /** The response's id, `resp_…`; of a chat completion, what its own is made of. */
  id: string;
  api: Api;
  /** `metadata.key` of the request, else a digest of its input: see `ledgerKey`. */
  key: string;
  model: string;
  /** When work began, in milliseconds since the epoch. */
  at: number;
  background: boolean;
  stream: boolean;
  input_tokens: number;
  /** Of them, those that the prompt cache held. */
  cached_tokens: number;
  output_tokens: number;
  outcome: BilledOutcome;
  /** The whole answer was written to a connection that was still open. */
  delivered: boolean;
}

export interface Ledger {
  add(entry: LedgerEntry): void;
  /** Oldest first. The entries are live: `delivered` may still turn true. */
  entries(): LedgerEntry[];
  /** All entries ever added, also those the bound has dropped since. */
  readonly billed: number;
}

/** A ledger that keeps the newest `bound` entries. */
export function createLedger(bound: number): Ledger {
  const kept: LedgerEntry[] = [];
  let billed = 0;
  return {
    add(entry) {
      kept[billed % bound] = entry;
      billed += 1;
    },
    entries() {
      const oldest = billed % bound;
      return billed <= bound ? kept.slice() : [...kept.slice(oldest), ...kept.slice(0, oldest)];
    },
    get billed() {
      return billed;
    },
  };
}
