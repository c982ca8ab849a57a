/**
 * The primary Redis dies under load and its replica is promoted. Replication is asynchronous: what the replica did not
 * have yet is lost, which is counted here and reported, not promised away. All that it had goes on by itself.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, faultRun, submitAll, trySubmit } from '../harness/fault-run.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { inspectRun, tell } from '../harness/findings.ts';
import { jobRate, rateReturns } from '../harness/job-rate.ts';
import { finished } from '../harness/stack.ts';
import { type TcpProxy, tcpProxy } from '../harness/tcp-proxy.ts';

/** More than run at once; the submits of meanwhile keep them from running out. */
const JOBS = 500;
const CONCURRENCY = 10;
/** A range, or calls would end in waves, and a window's rate would depend on how many of them it holds. */
const CALL_MS: [number, number] = [100, 300];
const WINDOW_MS = 3000;
const SUBMIT_EVERY_MS = 10;
/** Between the primary's death and the promotion, as long as a fast sentinel would take. */
const FAILOVER_MS = 3000;
const RESUME_MS = 30_000;
/**
 * A job whose end was lost with the primary, while what its worker told BullMQ next reached the replica, waits for the
 * repair, which looks every 30 s.
 */
const REPAIRED_WITHIN_MS = 60_000;
/** How far the replica is behind: what the primary did in this time, the promotion loses. */
const LAG_MS = 100;

let primary: CrashableRedis;
let replica: CrashableRedis;
let link: TcpProxy;
let proxy: TcpProxy;
let stack: FaultStack;
beforeAll(async () => {
  // Without the delay in which Redis waits for more replicas to come.
  const settings = { 'repl-diskless-sync-delay': '0' };
  [primary, replica] = await Promise.all([crashableRedis({ settings }), crashableRedis({ settings })]);
  link = await tcpProxy(primary.port);
  await replica.command('REPLICAOF', '127.0.0.1', String(link.port));
  await eventually('the replica follows', async () =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
  );
  link.delay(LAG_MS);
  proxy = await tcpProxy(primary.port);
  stack = await startFaultStack({
    redisUrl: proxy.url,
    workers: 2,
    queue: { concurrency: CONCURRENCY },
    simulator: { latencyMs: CALL_MS },
  });
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([proxy?.close(), link?.close()]);
  await Promise.all([primary?.dispose(), replica?.dispose()]);
});

it('a promoted replica: workers resume within 30 s, what it had ends once, what it had not is counted', async () => {
  const run = faultRun(stack);
  await submitAll(run, JOBS);
  let refused = 0;
  const submits: Promise<void>[] = [];
  const submit = async (): Promise<void> => {
    if ((await trySubmit(run))?.status !== 202) refused += 1;
  };
  const load = setInterval(() => submits.push(submit()), SUBMIT_EVERY_MS);
  try {
    const healthy = await jobRate(stack, WINDOW_MS);
    // With the link goes what is on its way: it dies with its primary.
    link.cut();
    await primary.kill();
    await elapsed(FAILOVER_MS);
    await replica.command('REPLICAOF', 'NO', 'ONE');
    proxy.switchTo(replica.port);
    const promoted = performance.now();
    const first = await eventually('a submit is accepted again', async () => {
      const reply = await trySubmit(run, '', { priority: 0 });
      return reply?.status === 202 && String(reply.body['id']);
    });
    expect((await finished(stack, first, RESUME_MS)).status).toBe('completed');
    const resumedAfterMs = Math.round(performance.now() - promoted);
    expect(resumedAfterMs).toBeLessThan(RESUME_MS);
    const recovery = await rateReturns(stack, healthy, WINDOW_MS, 10_000);
    clearInterval(load);
    await Promise.all(submits);
    await allEnded(run, REPAIRED_WITHIN_MS);

    const findings = await inspectRun(run);
    // Both may be more than none here: the replica did not know of what was lost.
    tell('12', findings, { refused, resumedAfterMs, ...recovery });
    expect(findings).toMatchObject({ unfinished: [], answeredTwice: [] });
    expect(findings.counted).toBe(findings.stored);
    expect(findings.outcomes['completed']).toBe(findings.stored);
    expect(link.hit()).toBeGreaterThanOrEqual(1);
    expect(refused).toBeGreaterThanOrEqual(1);
    for (const { child } of [stack.api, ...stack.workers]) expect(child.exitCode).toBeNull();
  } finally {
    clearInterval(load);
  }
}, 180_000);
