/** kill -9 of Redis under 500 submits a second: what was acknowledged is on disk, and is answered once. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { eventually } from '../harness/eventually.ts';
import {
  allEnded,
  checkRun,
  type FaultRun,
  faultRun,
  submitAll,
  trySubmit,
  trySubmitLines,
} from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { readJob } from '../harness/stack.ts';

/** A tick's 25 jobs: some in requests of their own, the rest in one, since callers do both. */
const ALONE = 5;
const TOGETHER = 20;
const TICK_MS = 50;
const WINDOW_MS = 2500;
const AWAY_MS = 1000;
const BACK_WITHIN_MS = 15_000;
const BACK = 0.9;
/** 200 jobs/s, so that the load on two cores is that of the submits. */
const CONCURRENCY = 20;
const CALL_MS = 100;
/** Calls in the background that are under way when Redis is killed, and still when it is back. */
const LONG_CALLS = 20;
const LONG_MS = 5000;

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({
    redisUrl: redis.url,
    queue: { concurrency: CONCURRENCY },
    simulator: { latencyMs: CALL_MS },
  });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

interface Load {
  refused: number;
  /** Replies that are neither an acknowledgement nor "not now". */
  wrong: string[];
  end(): Promise<void>;
}

/** Submits at the pace until told to end; a tick never waits for its replies, as callers do not wait for each other. */
function submitting(run: FaultRun): Load {
  const underWay: Promise<void>[] = [];
  const load: Load = {
    refused: 0,
    wrong: [],
    end: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
  const alone = async (): Promise<void> => {
    const reply = await trySubmit(run);
    if (reply === null || reply.status === 202) return;
    load.refused += 1;
    const later = Number(reply.headers.get('retry-after')) >= 1;
    if (reply.status !== 503 || !later) load.wrong.push(`${reply.status} ${reply.text}`);
  };
  const together = async (): Promise<void> => {
    const reply = await trySubmitLines(run, TOGETHER);
    load.refused += reply?.codes.length ?? 0;
    load.wrong.push(...(reply?.codes.filter((code) => code !== 'redis_unavailable') ?? []));
  };
  const timer = setInterval(() => {
    for (let i = 0; i < ALONE; i++) underWay.push(alone());
    underWay.push(together());
  }, TICK_MS);
  return load;
}

/** Acknowledgements a second. */
async function acceptedPerSecond(run: FaultRun): Promise<number> {
  const before = run.accepted.size;
  const began = performance.now();
  await elapsed(WINDOW_MS);
  return ((run.accepted.size - before) * 1000) / (performance.now() - began);
}

it('500 submits a second while Redis is killed: every acknowledged job exists afterwards and ends once', async () => {
  const run = faultRun(stack);
  const load = submitting(run);
  try {
    const healthy = await acceptedPerSecond(run);
    const long = await submitAll(run, LONG_CALLS, `[[slow:${LONG_MS}]]`, IN_BACKGROUND);
    await eventually('each long call has its checkpoint', async () =>
      (await Promise.all(long.map((id) => readJob(stack, id)))).every(({ attempts }) => attempts[0]?.upstream_id),
    );
    const underWay = stack.simulator.stats().inFlight;
    await redis.kill();
    await elapsed(AWAY_MS);
    await redis.start();
    const again = performance.now();
    let healed = 0;
    while (healed < BACK * healthy && performance.now() - again < BACK_WITHIN_MS) healed = await acceptedPerSecond(run);
    await load.end();
    await allEnded(run, 60_000);

    expect(healed).toBeGreaterThanOrEqual(BACK * healthy);
    expect(load.wrong).toEqual([]);
    const faults = { refused: load.refused, underWay, healthy, healed };
    const findings = await checkRun(run, '02', { faults, cutCalls: underWay });
    expect(findings.background).toEqual({ jobs: LONG_CALLS, billed: LONG_CALLS, marked: 0 });
  } finally {
    await load.end();
  }
}, 120_000);
