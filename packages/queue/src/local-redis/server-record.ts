/**
 * Which process serves a data folder, written down beside the data: a server that has outlived its owner is found and
 * ended before another is started. Two servers on one folder would destroy it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { processIdentity } from './process-identity.ts';

/** Ending takes the server one last fsync. */
const END_BY_TERM_MS = 10_000;
const END_BY_KILL_MS = 5000;
const LOOK_EVERY_MS = 20;

const recordFile = (dataDir: string) => join(dataDir, 'server.json');

/** To be called as soon as the process runs. */
export function writeServerRecord(dataDir: string, pid: number): void {
  writeFileSync(recordFile(dataDir), JSON.stringify({ pid, identity: processIdentity(pid) }));
}

export function removeServerRecord(dataDir: string): void {
  rmSync(recordFile(dataDir), { force: true });
}

/**
 * Ends the server that the record names, if it still runs. To be called while holding the folder's lock.
 * @throws when it cannot be ended.
 */
export async function endOrphan(dataDir: string): Promise<void> {
  const record = readServerRecord(dataDir);
  if (record === null) return;
  const alive = () => processIdentity(record.pid) === record.identity;
  for (const [signal, bound] of [
    ['SIGTERM', END_BY_TERM_MS],
    ['SIGKILL', END_BY_KILL_MS],
  ] as const) {
    if (!alive()) break;
    send(record.pid, signal);
    for (const started = Date.now(); alive() && Date.now() - started < bound; ) await wait(LOOK_EVERY_MS);
  }
  if (alive()) throw new Error(`process ${record.pid} still serves ${dataDir} and does not end`);
  removeServerRecord(dataDir);
}

function readServerRecord(dataDir: string): { pid: number; identity: string } | null {
  try {
    const record = JSON.parse(readFileSync(recordFile(dataDir), 'utf8')) as { pid: number; identity: string | null };
    return record.identity === null ? null : { pid: record.pid, identity: record.identity };
  } catch {
    // None, or one whose writing was cut short with its writer: the guard ends that server.
    return null;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended in between, which is what was wanted; a refusal shows in the wait that follows.
  }
}
