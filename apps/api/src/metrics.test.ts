import { LATENCY_BUCKETS_SECONDS, readDays, readMinutes, type Store, tellWorker } from '@millrace/queue';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { finishByOutcome, settleAttempt } from '../../../packages/queue/src/attempt.ts';
import { limitKeys, queueKeys } from '../../../packages/queue/src/keys.ts';
import { runScript } from '../../../packages/queue/src/scripts.ts';
import { openTestStore } from '../../../packages/queue/src/testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, RETRY, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { openMetrics } from './metrics.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url, { config: { limits: { main: { requestsPerMinute: 3000, inFlight: 200 } } } });
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Reads the text format of Prometheus, strictly: every line must be one it knows. */
function parse(text: string): Sample[] {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      expect(types.has(type[1] as string), `${type[1]} is declared once`).toBe(false);
      types.set(type[1] as string, type[2] as string);
      continue;
    }
    if (/^# HELP \S+ .+$/.test(line)) continue;
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/.exec(line);
    if (sample === null) throw new Error(`not the text format: ${line}`);
    const [, name = '', labelText = '', value = ''] = sample;
    const family = name.replace(/_(bucket|sum|count)$/, '');
    expect(types.has(name) || types.has(family), `${name} has a type`).toBe(true);
    const pairs = /^(?:\w+="(?:[^"\\]|\\[\\n"])*"(?:,|$))*$/;
    expect(pairs.test(labelText), `the labels are quoted as they must be: ${labelText}`).toBe(true);
    const labels = Object.fromEntries(
      [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, k, v = '']) => [
        k,
        v.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped)),
      ]),
    );
    samples.push({ name, labels, value: Number(value.replace('+Inf', 'Infinity')) });
  }
  return samples;
}

const metrics = (): Promise<Sample[]> => openMetrics(store).render().then(parse);

it('a queue that has done nothing has its gauges at 0, and every line is well-formed', async () => {
  const samples = await metrics();
  expect(samples.filter(({ name }) => name === 'millrace_queue_jobs').every(({ value }) => value === 0)).toBe(true);
  expect(samples.some(({ name }) => name === 'nodejs_eventloop_lag_seconds')).toBe(true);
});

it('jobs, attempts, tokens and what may be on the bill are counted, by queue and reason', async () => {
  const queue = queueOf(store);
  const usage = {
    ...{ input_tokens: 10, input_tokens_details: { cached_tokens: 4 }, total_tokens: 15 },
    ...{ output_tokens: 5, output_tokens_details: { reasoning_tokens: 0 } },
  };
  const done = await submitOne(store);
  const tried = await begin(store, done);
  await settleAttempt(store, queue, done, tried.epoch, { ...RETRY, usage }, 0);
  await finishByOutcome(store, queue, done, (await begin(store, done)).epoch, { ...COMPLETED, usage });
  const failed = await submitOne(store);
  await finishByOutcome(store, queue, failed, (await begin(store, failed)).epoch, FAILED);
  await begin(store, await submitOne(store));
  await submitOne(store, { delayMs: 60_000, queue: 'extract' });

  // As `begin` counts an attempt whose worker is dead.
  await store.redis.hincrby(queue.keys.counters, 'crashes', 2);
  // As `finish` counts what the upstream's tools did, and who got another's answer.
  await store.redis.hincrby(queue.keys.counters, 'tool_calls:web_search_call', 3);
  await store.redis.hincrby(queue.keys.counters, 'answered_by_another', 5);

  const samples = await metrics();
  const value = (name: string, labels: Record<string, string>): number | undefined =>
    samples.find((one) => one.name === name && Object.entries(labels).every(([k, v]) => one.labels[k] === v))?.value;
  const generate = { queue: 'generate' };
  expect(value('millrace_jobs_submitted_total', generate)).toBe(3);
  expect(value('millrace_jobs_finished_total', { ...generate, outcome: 'completed' })).toBe(1);
  expect(value('millrace_jobs_finished_total', { ...generate, outcome: 'failed' })).toBe(1);
  expect(value('millrace_attempts_total', { ...generate, outcome: 'retry', reason: 'upstream_error' })).toBe(1);
  expect(value('millrace_attempts_total', { ...generate, outcome: 'completed', reason: 'none' })).toBe(1);
  expect(value('millrace_attempts_total', { ...generate, outcome: 'failed', reason: 'bad_request' })).toBe(1);
  expect(value('millrace_tokens_total', { ...generate, direction: 'input' })).toBe(20);
  expect(value('millrace_tokens_total', { ...generate, direction: 'output' })).toBe(10);
  expect(value('millrace_tokens_total', { ...generate, direction: 'cached' })).toBe(8);
  expect(value('millrace_tool_calls_total', { ...generate, type: 'web_search_call' })).toBe(3);
  expect(value('millrace_jobs_answered_by_another_total', generate)).toBe(5);
  expect(value('millrace_possibly_billed_total', generate)).toBe(1);
  expect(value('millrace_crashed_attempts_total', generate)).toBe(2);
  expect(value('millrace_in_flight', generate)).toBe(1);
  expect(value('millrace_queue_jobs', { queue: 'extract', state: 'delayed' })).toBe(1);
  expect(value('millrace_kept_bytes', generate)).toBeGreaterThan(0);
});

it('tokens, calls and dollars are told by queue, model and key, as the rollups of the day have them; no price, no dollars', async () => {
  const queue = queueOf(store);
  const million = {
    ...{ input_tokens: 1_000_000, input_tokens_details: { cached_tokens: 400_000 }, total_tokens: 1_100_000 },
    ...{ output_tokens: 100_000, output_tokens_details: { reasoning_tokens: 0 } },
  };
  const hostile = 'a "model",\nnamed\\badly';
  const leader = await submitOne(store, { model: 'gpt-5', key: 'ann' });
  const tried = await begin(store, leader);
  await settleAttempt(store, queue, leader, tried.epoch, { ...RETRY, usage: million }, 0);
  await finishByOutcome(store, queue, leader, (await begin(store, leader)).epoch, { ...COMPLETED, usage: million });
  const shared = await submitOne(store, { model: 'gpt-5', key: 'bob' });
  const { epoch } = await begin(store, shared);
  await finishByOutcome(store, queue, shared, epoch, COMPLETED, { answeredBy: leader });
  const unpriced = await submitOne(store, { model: hostile });
  await finishByOutcome(store, queue, unpriced, (await begin(store, unpriced)).epoch, { ...COMPLETED, usage: million });

  const samples = await metrics();
  const found = (name: string): Record<string, number> =>
    Object.fromEntries(
      samples
        .filter((one) => one.name === name && one.labels.queue === 'generate')
        .map(({ labels: { queue: _, ...labels }, value }) => [Object.values(labels).join(' '), value]),
    );
  expect(found('millrace_model_calls_total')).toEqual({
    'gpt-5 ann failed': 1,
    'gpt-5 ann ok': 1,
    [`${hostile}  ok`]: 1,
  });
  expect(found('millrace_model_calls_unread_total')).toEqual({ 'gpt-5 ann': 1 });
  expect(found('millrace_model_calls_shared_total')).toEqual({ 'gpt-5 bob': 1 });
  // 0.6 M at $1.25, 0.4 M at $0.125, 0.1 M at $10; cached, 0.4 M were $1.125 cheaper each.
  expect(found('millrace_cost_usd_total')).toEqual({ 'gpt-5 ann failed': 1.8, 'gpt-5 ann ok': 1.8 });
  // What the one that was shared would have cost: known while its leader's record is.
  expect(found('millrace_saved_usd_total')).toEqual({ 'gpt-5 ann cached_input': 0.9, 'gpt-5 bob shared_answer': 1.8 });

  const [seconds] = await store.redis.time();
  const today = Math.floor(Number(seconds) / 86_400);
  const days = (await readDays({ ...store }, [queue], today - 1, today)).get('generate') ?? [];
  const ofDay = days.flatMap(({ spent }) => spent).filter(({ cameTo }) => cameTo !== 'shared');
  const told = Object.fromEntries(
    ofDay.flatMap(({ model, key, cameTo, input, cached, output }) =>
      Object.entries({ input, cached, output }).map(([way, count]) => [`${model} ${key} ${cameTo} ${way}`, count]),
    ),
  );
  expect(found('millrace_model_tokens_total')).toEqual(told);
  const now = Math.floor(Number(seconds) / 60);
  const minutes = (await readMinutes({ ...store }, [queue], now - 1, now)).get('generate') ?? [];
  const inMinutes = (direction: 'input' | 'cached' | 'output'): number =>
    minutes.flatMap(({ tokens }) => Object.values(tokens)).reduce((sum, one) => sum + one[direction], 0);
  const { input, cached, output } = {
    input: inMinutes('input'),
    cached: inMinutes('cached'),
    output: inMinutes('output'),
  };
  expect(found('millrace_tokens_total')).toEqual({ input, cached, output });
  const [submitted] = Object.values(found('millrace_jobs_submitted_total'));
  expect(minutes.reduce((sum, one) => sum + one.submitted, 0)).toBe(submitted);
  const completed = minutes.reduce((sum, one) => sum + one.finished.completed, 0);
  expect(found('millrace_jobs_finished_total')).toEqual({ completed });
});

it('the histograms are cumulative over every bound the scripts know, and end in the count', async () => {
  const queue = queueOf(store);
  // Far from the next bound, so that a slow machine makes no difference; the first two as if the clock had stepped.
  for (const ageSeconds of [-100, -100, 3, 3, 45, 400, 100_000]) {
    const id = await submitOne(store);
    const stamp = Number(await store.redis.hget(queue.keys.job(id), 'stamp'));
    await store.redis.hset(queue.keys.job(id), 'stamp', stamp - ageSeconds * 1e6);
    await finishByOutcome(store, queue, id, (await begin(store, id)).epoch, COMPLETED);
  }
  const samples = (await metrics()).filter(({ labels }) => labels.queue === 'generate');
  for (const [name, expected] of [
    [
      'millrace_job_duration_seconds',
      { '0.05': 2, '1': 2, '2.5': 2, '5': 4, '30': 4, '60': 5, '300': 5, '600': 6, '3600': 6, '+Inf': 7 },
    ],
    ['millrace_attempt_duration_seconds', { '+Inf': 7 }],
  ] as const) {
    const buckets = samples.filter((one) => one.name === `${name}_bucket`);
    expect(buckets.map(({ labels }) => labels.le)).toEqual([...LATENCY_BUCKETS_SECONDS.map(String), '+Inf']);
    const values = buckets.map(({ value }) => value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    for (const [le, count] of Object.entries(expected)) {
      expect(buckets.find(({ labels }) => labels.le === le)?.value, `${name} ≤ ${le}`).toBe(count);
    }
    expect(samples.find((one) => one.name === `${name}_count`)?.value).toBe(7);
  }
  const sum = samples.find(({ name }) => name === 'millrace_job_duration_seconds_sum')?.value ?? 0;
  expect(sum).toBeGreaterThan(100_250);
  expect(sum).toBeLessThan(100_300);
});

it('two readers at once see the same totals, not twice as much', async () => {
  for (let n = 0; n < 5; n++) await submitOne(store);
  const open = openMetrics(store);
  const texts = await Promise.all(Array.from({ length: 5 }, () => open.render()));
  for (const text of texts) expect(text).toMatch(/^millrace_jobs_submitted_total\{queue="generate"\} 5$/m);
});

it('a limit is told with what is configured, learned, left and used, by model, and whether it is closed or low', async () => {
  const keys = limitKeys('main', 'm');
  const [seconds] = await store.redis.time();
  const now = Number(seconds) * 1000;
  await store.redis.sadd(keys.groups, 'm');
  await store.redis.hset(keys.bucket, {
    ...{
      at: now,
      learned_tokens: 600_000,
      fullest_tokens: 10_000,
      told_at: now,
      told_tokens: 150,
      used_tokens: 12_000,
    },
    closed: now + 60_000,
  });
  await store.redis.hset(keys.low, 'tokens m', now);
  await store.redis.hset(keys.closed, { since: now, why: 'unauthorized', until: now + 60_000, every: 60_000 });
  await store.redis.zadd(keys.inFlight, now + 60_000, 'one', now - 60_000, 'expired');
  await store.redis.zadd(keys.asking, 5e13, 'a');
  await store.redis.hset(keys.asked, 'a', `${now + 60_000} 100`);

  const samples = (await metrics()).filter(({ name }) => name.startsWith('millrace_limit_'));
  const shown = new Map(
    samples.map(({ name, labels, value }) => [`${name} ${Object.values(labels).join(' ')}`, value]),
  );
  expect(Object.fromEntries(shown)).toEqual({
    'millrace_limit_closed main': 1,
    'millrace_limit_in_flight main': 1,
    'millrace_limit_configured_in_flight main': 200,
    'millrace_limit_paused main m': 1,
    'millrace_limit_waiting main m': 1,
    'millrace_limit_configured main m requests': 3000,
    'millrace_limit_learned main m tokens': 600_000,
    'millrace_limit_remaining main m tokens': 150,
    'millrace_limit_low main m tokens': 1,
    'millrace_limit_used_total main m requests': 0,
    'millrace_limit_used_total main m tokens': 12_000,
  });
  await store.redis.flushall();
  const after = (await metrics()).filter(({ name }) => name.startsWith('millrace_limit_'));
  expect(after.map(({ name }) => name).sort()).toEqual([
    'millrace_limit_closed',
    'millrace_limit_configured_in_flight',
    'millrace_limit_in_flight',
  ]);
});

it('workers alive are counted by the version they told, each once; a version that none of them runs any more is gone', async () => {
  const fail = (error: unknown): never => {
    throw error;
  };
  const self = (version: string) => ({ version, host: 'mill', pid: 7, startedAt: 1000, concurrency: { generate: 10 } });
  const told = [];
  for (const [worker, version] of Object.entries({ w1: '1.1.0', w2: '1.2.0', w3: '1.2.0', silent: null })) {
    for (const name of ['generate', 'extract']) {
      const { workers, beats } = queueKeys(name);
      await runScript(store.redis, 'beat', [workers, beats], [worker]);
    }
    if (version !== null) told.push(await tellWorker(store, worker, self(version), fail));
  }
  const open = openMetrics(store);
  const alive = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      parse(await open.render())
        .filter(({ name }) => name === 'millrace_workers')
        .map(({ labels, value }) => [labels.version, value]),
    );
  expect(await alive()).toEqual({ '1.1.0': 1, '1.2.0': 2, unknown: 1 });
  await told[0]?.stop();
  expect(await alive()).toEqual({ '1.2.0': 2, unknown: 2 });
  for (const one of told) await one.stop();
});
