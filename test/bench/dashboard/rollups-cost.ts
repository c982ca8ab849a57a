/** What the rollups add to a job, in CPU of Redis: the same jobs with the scripts as they are, and without that part of them. */

import type { TerminalStatus, Usage } from '@millrace/core';
import { beginAttempt, finishByOutcome, type Store, submit } from '@millrace/queue';
import { type ScriptName, scriptSource } from '../../../packages/queue/src/scripts.ts';
import { newJob, openTestStore } from '../../../packages/queue/src/testing/store.ts';
import { freshRedis } from '../../harness/redis.ts';
import { median, print, round } from '../figures.ts';

const JOBS = 500;
const ROUNDS = 40;
const MICROSECONDS = 1e6;
/** Several models and keys, as a busy day has: the hashes are as large as they get. */
const MODELS = 10;
const KEYS = 5;
const REPORTED: readonly ScriptName[] = ['submit', 'begin', 'settle', 'finish', 'turn'];
/** Lua: the last word on functions that the rest of the script has as upvalues. */
const NOTHING_ADDED = `
add_to = function() return false end
add_of_model = function(_, _, _, _, model) return model end
add_spent = function() end
minute_of = function() return '' end
account_of = function() return nil end
count_use = function(_, counters, _, _, _, input, cached, output)
  -- Their totals, which are the rollups' now.
  if input ~= '0' then redis.call('HINCRBY', counters, 'tokens:input', input) end
  if cached ~= '0' then redis.call('HINCRBY', counters, 'tokens:cached', cached) end
  if output ~= '0' then redis.call('HINCRBY', counters, 'tokens:output', output) end
end
`;

const USAGE: Usage = {
  ...{ input_tokens: 1200, input_tokens_details: { cached_tokens: 1024 }, total_tokens: 1500 },
  ...{ output_tokens: 300, output_tokens_details: { reasoning_tokens: 0 } },
};

export async function rollupsCost(): Promise<void> {
  const redis = await freshRedis({ settings: { appendonly: 'no' } });
  const [counting, plain] = await Promise.all([openTestStore(redis.url), openTestStore(redis.url)]);
  try {
    leaveOutRollups(plain);
    const added: number[] = [];
    const without: number[] = [];
    await jobs(counting);
    await jobs(plain);
    for (let n = 0; n < ROUNDS; n++) {
      // Each goes first as often as the other.
      const order = n % 2 === 0 ? [counting, plain] : [plain, counting];
      const cost = new Map<Store, number>();
      for (const store of order) cost.set(store, await jobs(store));
      added.push((cost.get(counting) ?? 0) - (cost.get(plain) ?? 0));
      without.push(cost.get(plain) ?? 0);
    }
    print({
      bench: 'dashboard',
      what: 'CPU of Redis that the rollups add to a job, µs',
      ...{ jobs: JOBS, rounds: ROUNDS, models: MODELS, keys: KEYS },
      without: round(median(without), 1),
      added: round(median(added), 1),
      added_by_round: added.map((one) => round(one, 1)),
      goal: 'added <= 30',
    });
  } finally {
    await Promise.all([counting.close(), plain.close()]);
    await redis.dispose();
  }
}

function leaveOutRollups({ redis }: Store): void {
  for (const name of REPORTED) {
    const source = scriptSource(name);
    // The script's own text comes last, after a first comment that names it.
    const at = source.lastIndexOf(`\n-- ${name}: `);
    if (at === -1) throw new Error(`the script ${name} does not begin as expected`);
    redis.defineCommand(`millrace:${name}`, { lua: source.slice(0, at) + NOTHING_ADDED + source.slice(at) });
  }
}

/** Jobs submitted one by one, begun and completed; µs of Redis's CPU for each. */
async function jobs(store: Store): Promise<number> {
  const queue = store.queues.get('generate');
  if (queue === undefined) throw new Error('no queue');
  const before = await cpuSeconds(store);
  for (let n = 0; n < JOBS; n++) {
    const [reply] = await submit(store, [newJob({ model: `model-${n % MODELS}`, key: `key-${n % KEYS}` })]);
    if (reply === undefined || reply instanceof Error) throw reply ?? new Error('no reply');
    const begun = await beginAttempt(store, queue, reply.id, { worker: 'bench' });
    if (begun.kind !== 'begun') throw new Error(begun.kind);
    const answer = { response: { id: 'resp_b', object: 'response' as const }, output_text: 'x', usage: USAGE };
    const outcome = { kind: 'completed' satisfies TerminalStatus, usage: USAGE, answer } as const;
    await finishByOutcome(store, queue, reply.id, begun.epoch, outcome);
  }
  return (((await cpuSeconds(store)) - before) * MICROSECONDS) / JOBS;
}

async function cpuSeconds({ redis }: Store): Promise<number> {
  const info = await redis.info('cpu');
  const read = (name: string): number => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]);
  return read('used_cpu_sys') + read('used_cpu_user');
}
