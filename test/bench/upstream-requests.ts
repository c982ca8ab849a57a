/**
 * When the upstream was asked for a job, by its own account and alike for every client: its ledger has each call, and
 * the requests that retrieve a response (a re-attached one) are heard on Node's own channel, as the simulator runs in
 * this process.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { LedgerEntry } from '@millrace/simulator';

const CHANNEL = 'http.server.request.start';
/** More than any run of this benchmark makes; beyond it the figures would be wrong, so it throws. */
const MAX_RETRIEVES = 100_000;

export interface RetrieveLog {
  /** What was asked so far: for each call's ledger key when it was made and when it was re-attached to, ms, in order. */
  requests(ledger: readonly LedgerEntry[]): Map<string, number[]>;
  close(): void;
}

/** Listens to every HTTP server of this process from now on. */
export function logRetrieves(): RetrieveLog {
  const retrieved: { id: string; atMs: number }[] = [];
  const listen = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage };
    const id = request.method === 'GET' ? /\/responses\/([^/?]+)/.exec(request.url ?? '')?.[1] : undefined;
    if (id !== undefined) retrieved.push({ id, atMs: Date.now() });
    if (retrieved.length > MAX_RETRIEVES) throw new Error('more retrieves than there can be');
  };
  subscribe(CHANNEL, listen);
  return {
    requests: (ledger) => {
      const keys = new Map(ledger.map(({ id, key }) => [id, key]));
      const found = new Map<string, number[]>();
      const add = (key: string, atMs: number): void => {
        found.set(key, [...(found.get(key) ?? []), atMs]);
      };
      for (const { key, at } of ledger) add(key, at);
      for (const { id, atMs } of retrieved) {
        const key = keys.get(id);
        if (key !== undefined) add(key, atMs);
      }
      for (const times of found.values()) times.sort((a, b) => a - b);
      return found;
    },
    close: () => {
      unsubscribe(CHANNEL, listen);
    },
  };
}
