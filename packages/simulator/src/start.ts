/** A simulator, listening: everything it opens is closed by its `close`. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Fault } from './calls/faults.ts';
import type { LedgerEntry } from './calls/ledger.ts';
import type { Limits } from './calls/limits.ts';
import { handle } from './http/routes.ts';
import { createMachine, type SimulatorStats } from './machine.ts';
import { readOptions, type SimulatorOptions } from './options.ts';

export interface Simulator {
  /** The base URL for a client: `http://127.0.0.1:7072/v1`. */
  url: string;
  port: number;
  /** Every call billed so far, oldest first (the newest million). */
  ledger(): LedgerEntry[];
  stats(): SimulatorStats;
  /** Replaces the faults by probability. */
  setFaults(faults: Fault[]): void;
  /** Replaces the limits; every bucket starts full. */
  setLimits(limits: Limits): void;
  /** Ends every running call now, as if its time had passed; those that are stuck in the queue stay there. */
  finish(): void;
  /** Drops every connection, ends running calls (background ones as cancelled) and frees the port. May be called again. */
  close(): Promise<void>;
}

const DEFAULT_HOST = '127.0.0.1';
/** Longer than clients keep idle connections, so that none is closed under a request just sent. */
const KEEP_ALIVE_MS = 120_000;

/**
 * Starts a simulator. Throws a TypeError for options that do not hold, and the system's error (`EADDRINUSE` …) where
 * it cannot listen.
 */
export async function startSimulator(given: SimulatorOptions = {}): Promise<Simulator> {
  const options = readOptions(given);
  const machine = createMachine(options);
  const host = options.host ?? DEFAULT_HOST;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (req, res) => {
    void handle(machine, req, res);
  });
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  let closing: Promise<unknown> | undefined;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/v1`,
    port,
    ledger: () => machine.ledger.entries(),
    stats: () => machine.stats(),
    setFaults: machine.setFaults,
    setLimits: machine.setLimits,
    finish() {
      for (const run of machine.store.running) if (!run.call.stuck) run.finish();
    },
    async close() {
      if (!closing) {
        closing = once(server, 'close');
        server.close();
        server.closeAllConnections();
        // After the connections: what a foreground call would still answer must reach nobody.
        for (const run of machine.store.running) {
          if (run.call.request.background) run.cancel();
          else run.finish();
        }
      }
      await closing;
    },
  };
}
