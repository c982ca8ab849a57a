/**
 * The heartbeat of a worker process: a thread with a connection of its own, so that an event loop that is blocked does
 * not look like a death, while a process that is killed falls silent at once. It loads next to nothing: every module
 * here is held twice in the process.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BEAT_EVERY_MS } from './pace-of-life.ts';
import type { RedisAddress } from './redis-address.ts';
import { openRedisLink } from './redis-link.ts';
import { type Reply, ReplyError } from './resp.ts';

export interface HeartbeatThreadTerms {
  address: RedisAddress;
  worker: string;
  /** Each with the keys of its `beat`. */
  queues: readonly { name: string; keys: readonly string[] }[];
  /** `beat`, and the name it has once Redis knows it. */
  script: { lua: string; sha1: string };
}

/** What one beat brought to light. */
export interface Beat {
  /** How far this machine's clock is ahead of Redis's; only as exact as half the round trip. */
  skewMs: number;
  roundTripMs: number;
  /** Workers whose heartbeat is gone. */
  dead: { queue: string; worker: string }[];
}

/** A connection that says nothing for so long, not even that it is one, is gone without a word: a new one is tried. */
const SILENCE_MS = 1500;

const { address, worker, queues, script } = workerData as HeartbeatThreadTerms;
let asking = false;
let quietSince = performance.now();
// At once when the connection is there again: whoever was heard first may be looking for the dead.
const link = await openRedisLink(address, 'millrace-heartbeat', () => void beat());

async function beat(): Promise<void> {
  const began = performance.now();
  if (began - quietSince > SILENCE_MS) {
    quietSince = began;
    link.drop();
  }
  if (!link.ready() || asking) return;
  asking = true;
  const clock = Date.now();
  try {
    const replies = await askAll();
    quietSince = performance.now();
    const roundTripMs = quietSince - began;
    const [time] = replies[0] ?? [];
    const dead = replies.flatMap(([, ...gone], index) =>
      gone.map((name) => ({ queue: queues[index]?.name ?? '', worker: String(name) })),
    );
    const message: Beat = { skewMs: clock + roundTripMs / 2 - Number(time), roundTripMs, dead };
    parentPort?.postMessage(message);
  } catch {
    // Away, loading or read-only: the next beat is half a second away.
  } finally {
    asking = false;
  }
}

/** @throws ReplyError when Redis refuses, or Error when it is lost: a beat counts only when it was heard everywhere. */
async function askAll(): Promise<Reply[][]> {
  const say = (command: string, how: string): Promise<Reply[]> =>
    link.ask(queues.map(({ keys }) => [command, how, String(keys.length), ...keys, worker]));
  let replies = await say('EVALSHA', script.sha1);
  // A Redis that has just started knows no script.
  if (replies.some((reply) => reply instanceof ReplyError && reply.message.startsWith('NOSCRIPT'))) {
    replies = await say('EVAL', script.lua);
  }
  return replies.map((reply) => {
    if (Array.isArray(reply)) return reply;
    throw reply instanceof ReplyError ? reply : new Error('no reply of beat');
  });
}

setInterval(() => void beat(), BEAT_EVERY_MS);
