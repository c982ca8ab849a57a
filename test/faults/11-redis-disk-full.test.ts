/**
 * The disk under Redis is full. Set to fsync always, Redis ends itself then, which is an outage until it is started
 * again; set to everysec it refuses writes and recovers alone. Either way nothing is acknowledged that is not kept.
 */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, apiReady, checkRun, type FaultRun, faultRun, submitAll, trySubmit } from '../harness/fault-run.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { jobRate, rateReturns } from '../harness/job-rate.ts';
import { type SmallDisk, smallDisk } from '../harness/small-disk.ts';

const DISK_MEGABYTES = 64;
/** For one window and what comes before it. */
const JOBS = 500;
const CONCURRENCY = 10;
/** A range, or calls would end in waves, and a window's rate would depend on how many of them it holds. */
const CALL_MS: [number, number] = [100, 300];
const WINDOW_MS = 3000;
/** Three windows: at once, where nobody else keeps the machine busy. */
const BACK_WITHIN_MS = 9000;
const MOST_SUBMITS = 400;
const REFUSALS = 20;

const disk = await smallDisk(DISK_MEGABYTES);
const reason = 'none' in disk ? ` (skipped: ${disk.none})` : '';

let redis: CrashableRedis;
let stack: FaultStack;

/** Only where there is a disk does anything run that asks for it. */
function theDisk(): SmallDisk {
  if ('none' in disk) throw new Error(disk.none);
  return disk;
}

describe.skipIf('none' in disk)(`a full disk${reason}`, () => {
  afterAll(() => theDisk().dispose());

  const startOn = async (settings: Record<string, string>): Promise<void> => {
    redis = await crashableRedis({ settings, parent: theDisk().path });
    stack = await startFaultStack({
      redisUrl: redis.url,
      workers: 2,
      queue: { concurrency: CONCURRENCY },
      simulator: { latencyMs: CALL_MS },
    });
  };
  afterEach(async () => {
    await theDisk().free();
    await stack?.stop();
    await redis?.dispose();
  });

  /** Fills the disk under running jobs; returns how many submits were refused, and with which codes. */
  const fillUnderLoad = async (run: FaultRun): Promise<{ refusals: number; codes: Set<string> }> => {
    await theDisk().fill();
    const codes = new Set<string>();
    let refusals = 0;
    for (let n = 0; n < MOST_SUBMITS && refusals < REFUSALS; n++) {
      const reply = await trySubmit(run);
      if (reply?.status === 202) continue;
      refusals += 1;
      expect(reply?.status).toBe(503);
      expect(Number(reply?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      codes.add(/"code":"(\w+)"/.exec(reply?.text ?? '')?.[1] ?? 'none');
    }
    return { refusals, codes };
  };
  const goesOn = async (run: FaultRun, name: string, healthy: number, refusals: number): Promise<void> => {
    await apiReady(stack);
    await eventually('writes are taken again', async () => (await trySubmit(run))?.status === 202);
    const recovery = await rateReturns(stack, healthy, WINDOW_MS, BACK_WITHIN_MS, () => submitAll(run, JOBS));
    await allEnded(run, 60_000);
    for (const { child } of [stack.api, ...stack.workers]) expect(child.exitCode).toBeNull();
    await checkRun(run, name, { faults: { refusals, ...recovery }, cutCalls: 2 * CONCURRENCY });
  };

  describe('with fsync always', () => {
    beforeEach(() => startOn({}));
    it('Redis ends itself: 503 until it is started again with room, then every accepted job ends', async () => {
      const run = faultRun(stack);
      await submitAll(run, JOBS);
      const healthy = await jobRate(stack, WINDOW_MS);
      const { refusals } = await fillUnderLoad(run);
      await redis.exited();
      await theDisk().free();
      await redis.start();
      await goesOn(run, '11 always', healthy, refusals);
    }, 120_000);
  });

  describe('with fsync every second', () => {
    beforeEach(() => startOn({ appendfsync: 'everysec' }));
    it('Redis refuses writes: 503 redis_disk_full, then with room all goes on without any restart', async () => {
      const run = faultRun(stack);
      await submitAll(run, JOBS);
      const healthy = await jobRate(stack, WINDOW_MS);
      const { refusals, codes } = await fillUnderLoad(run);
      expect([...codes]).toContain('redis_disk_full');
      await theDisk().free();
      await goesOn(run, '11 everysec', healthy, refusals);
    }, 120_000);
  });
});
