/** Waits until the server on a port answers, has read its data, and is the one that we have started. */
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** Each answer is a local round trip; a server that needs longer is not ready. */
const ANSWER_TIMEOUT_MS = 2000;
const ASK_EVERY_MS = 30;
/** From the start of the process to its first answer. */
const FIRST_ANSWER_MS = 15_000;
/** Reading an append-only file of several gigabytes, at some 100 MB a second. */
const LOADING_MS = 600_000;

export interface Expected {
  dir: string;
  /** The id INFO must report; null where the server runs in a container of its own. */
  pid: number | null;
}

type Answer = { state: 'ready'; version: string } | { state: 'silent' | 'loading' | 'stranger' };

/**
 * Resolves with the server's version; with null when `gone()` says the process has ended, when another server answers
 * on the port, or when the time is up.
 */
export async function awaitReady(
  port: number,
  expected: Expected,
  gone: () => boolean,
  signal?: AbortSignal,
): Promise<string | null> {
  const started = Date.now();
  let bound = FIRST_ANSWER_MS;
  while (!gone() && Date.now() - started < bound) {
    const answer = await ask(port, expected);
    if (answer.state === 'ready') return answer.version;
    if (answer.state === 'stranger') return null;
    if (answer.state === 'loading') bound = LOADING_MS;
    signal?.throwIfAborted();
    await wait(ASK_EVERY_MS);
  }
  return null;
}

async function ask(port: number, expected: Expected): Promise<Answer> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: ANSWER_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // What goes wrong here is the rejected call below; without a listener it would be reported a second time.
  redis.on('error', () => {});
  try {
    await redis.connect();
    await redis.ping();
    const dir = (await redis.config('GET', 'dir')) as unknown;
    const info = await redis.info('server');
    const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
    const ours = Array.isArray(dir) && dir[1] === expected.dir;
    const sameProcess = expected.pid === null || Number(field('process_id')) === expected.pid;
    if (!ours || !sameProcess) return { state: 'stranger' };
    return { state: 'ready', version: field('valkey_version') ?? field('redis_version') ?? 'unknown' };
  } catch (error) {
    // Nobody listens yet, or the data are being read: both are what is waited for.
    return { state: error instanceof Error && error.message.startsWith('LOADING') ? 'loading' : 'silent' };
  } finally {
    redis.disconnect();
  }
}
