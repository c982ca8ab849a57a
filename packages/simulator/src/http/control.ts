/** What a simulator in a process of its own is asked and told, outside /v1. */
import { Readable } from 'node:stream';
import type { LedgerEntry } from '../calls/ledger.ts';
import type { Machine } from '../machine.ts';
import { readFaults, readLimits } from '../options.ts';
import { RefusedRequest } from '../request/refused.ts';
import { type Exchange, readBody, sendJson, setCommonHeaders } from './exchange.ts';

const LINES_PER_CHUNK = 500;

function* ledgerChunks(entries: LedgerEntry[]): Generator<string> {
  for (let from = 0; from < entries.length; from += LINES_PER_CHUNK) {
    const lines = entries.slice(from, from + LINES_PER_CHUNK).map((entry) => `${JSON.stringify(entry)}\n`);
    yield lines.join('');
  }
}

/** GET /simulator/ledger: one JSON object a line, oldest first. */
export function sendLedger(machine: Machine, exchange: Exchange): void {
  const { res } = exchange;
  setCommonHeaders(exchange);
  res.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const lines = Readable.from(ledgerChunks(machine.ledger.entries()));
  res.once('close', () => lines.destroy());
  lines.pipe(res);
}

/** GET /simulator/stats. */
export function sendStats(machine: Machine, exchange: Exchange): void {
  sendJson(exchange, 200, machine.stats());
}

async function readSetting<T>(exchange: Exchange, read: (value: unknown) => T): Promise<T> {
  const text = await readBody(exchange);
  try {
    return read(JSON.parse(text));
  } catch (error) {
    throw new RefusedRequest(400, error instanceof Error ? error.message : String(error));
  }
}

/** PUT /simulator/faults: the list that replaces the faults by probability. */
export async function putFaults(machine: Machine, exchange: Exchange): Promise<void> {
  const faults = await readSetting(exchange, readFaults);
  machine.setFaults(faults);
  sendJson(exchange, 200, faults);
}

/** PUT /simulator/limits: the limits that replace the present ones; `{}` for none. */
export async function putLimits(machine: Machine, exchange: Exchange): Promise<void> {
  const limits = await readSetting(exchange, readLimits);
  machine.setLimits(limits);
  sendJson(exchange, 200, limits);
}

/** GET /healthz and /readyz. */
export function sendHealth(_machine: Machine, exchange: Exchange): void {
  sendJson(exchange, 200, { status: 'ok' });
}
