/** The breakers of three processes on a real Redis, by whose clock they go. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { breakerKeys } from '../keys.ts';
import { failUntilOpen, joinFleet, letPass, type Member, passed, UPSTREAM } from '../testing/breaker-fleet.ts';
import type { Entry, Pass } from './open-breaker.ts';
import { readBreaker } from './read-breaker.ts';
import { step } from './step.ts';

let server: TestRedis;
let fleet: Member[];
let first: Member;
let second: Member;
beforeAll(async () => {
  server = await freshRedis();
});
beforeEach(() => {
  fleet = [1, 2, 3].map(() => joinFleet(server.url));
  [first, second] = fleet as [Member, Member, Member];
  return everyone(({ known }) => known());
});
afterEach(async () => {
  await first.redis.flushall();
  await Promise.all(fleet.map((member) => member.close()));
});
afterAll(() => server?.dispose());

/** Successes are told every 250 ms. */
const TOLD_WITHIN_MS = 300;

/** Chance that repeats: the "minimal standard" generator of Park and Miller, as revised in 1993. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
const everyone = <T>(what: (member: Member) => Promise<T>): Promise<T[]> => Promise.all(fleet.map(what));
const status = () => readBreaker(first.redis, UPSTREAM);
const stored = async (field: string) => Number(await first.redis.hget(breakerKeys(UPSTREAM).breaker, field));
const passes = (entries: Entry[]): Pass[] => entries.filter((entry) => entry.kind === 'pass');
const crowd = (member: Member): Promise<Entry[]> => Promise.all(Array.from({ length: 20 }, () => member.enter()));
async function open(): Promise<void> {
  await failUntilOpen(first);
  await eventually('all know', () => fleet.every(({ breaker }) => breaker.state() === 'open'));
}
/** Open, and one probe has succeeded. */
async function recover(): Promise<void> {
  await open();
  await letPass(first.redis, 1000);
  first.breaker.record(true, passed(await first.enter()));
  await eventually('all know', () => fleet.every(({ breaker }) => breaker.state() === 'half_open'));
}

describe('opening', () => {
  it('a total outage opens it within 20 failures of the whole fleet, however well it went before', async () => {
    await everyone(async (member) => {
      for (let i = 0; i < 300; i++) await member.call(true);
    });
    const end = performance.now() + TOLD_WITHIN_MS;
    await eventually('all successes are told', () => performance.now() >= end);
    const failures = await everyone(failUntilOpen);
    expect(failures.reduce((sum, n) => sum + n)).toBeLessThanOrEqual(20);
    expect(await status()).toMatchObject({ state: 'open', failures: expect.any(Number) });
    expect((await status()).failures).toBeGreaterThanOrEqual(10);
    expect(first.states).toEqual(['open']);
  });

  it('a process that was idle, and one that starts now, know of the outage before their first call', async () => {
    await failUntilOpen(first);
    await eventually('the idle one heard of it', () => second.breaker.state() === 'open');
    const newcomer = joinFleet(server.url);
    fleet.push(newcomer);
    await newcomer.ready();
    expect(passes([...(await crowd(newcomer)), ...(await crowd(second))])).toEqual([]);
  });

  it('never opens where 5 % of 2,000 calls fail', async () => {
    const random = seeded(7);
    let left = 2000;
    await everyone(async (member) => {
      while (left-- > 0) expect(await member.call(random() >= 0.05)).toBe(true);
    });
    expect(fleet.flatMap(({ states }) => states)).toEqual([]);
    expect((await status()).state).toBe('closed');
  });

  it('nor where the 5 % fail at once and the answers take long: calls under way count as not having failed', async () => {
    const random = seeded(11);
    const slow: [Member, Pass][] = [];
    await everyone(async (member) => {
      const started = await Promise.all(Array.from({ length: 200 }, () => member.enter()));
      for (const pass of passes(started)) {
        if (random() < 0.05) member.breaker.record(false, pass);
        else slow.push([member, pass]);
      }
    });
    // Two reports a process, one after the other: what follows on their connections is later.
    for (let i = 0; i < 4; i++) await everyone(({ redis }) => redis.ping());
    expect((await status()).failures).toBeGreaterThan(0);
    for (const [member, pass] of slow) member.breaker.record(true, pass);
    await eventually('all is told', async () => (await status()).failures === 0);
    expect(fleet.flatMap(({ states }) => states)).toEqual([]);
  });

  it('failures that are far apart are no outage', async () => {
    for (let i = 0; i < 30; i++) {
      expect(await first.call(false)).toBe(true);
      await eventually('it is told', async () => (await status()).failures === Math.min(i + 1, 3));
      await letPass(first.redis, 10_000);
    }
    expect(first.states).toEqual([]);
  });
});

describe('probing', () => {
  it('one call starts an interval, of the whole fleet, and the interval doubles up to 30 s while probes fail', async () => {
    await open();
    expect(passes((await everyone(crowd)).flat())).toEqual([]);
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      const early = await first.enter();
      if (early.kind !== 'open') throw new Error(early.kind);
      expect(early.inMs).toBeLessThanOrEqual(seconds * 1000);
      expect(await stored('interval')).toBe(seconds * 1000);
      await letPass(first.redis, seconds * 1000);
      const [round, ...more] = (await everyone(crowd)).map(passes).filter((of) => of.length > 0);
      expect(more).toEqual([]);
      expect(round).toEqual([{ kind: 'pass', probe: true, opening: expect.any(Number) }]);
      first.breaker.record(false, (round as Pass[])[0] as Pass);
    }
    expect(new Set(fleet.flatMap(({ states }) => states))).toEqual(new Set(['open']));
  });

  it('whoever probes may die: the next probe is due all the same', async () => {
    await open();
    await letPass(first.redis, 1000);
    passed(await first.enter());
    await first.close();
    expect(passes(await crowd(second))).toEqual([]);
    await letPass(second.redis, 2000);
    second.breaker.record(true, passed(await second.enter()));
    await eventually('it recovers', () => second.breaker.state() === 'half_open');
    fleet[0] = first = joinFleet(server.url);
  });

  it('calls that began before it opened tell nothing of now, neither while it is open nor after it has closed', async () => {
    const old = passes((await everyone(crowd)).flat());
    await open();
    for (const pass of old.slice(0, 20)) for (const { breaker } of fleet) breaker.record(true, pass);
    // A process that has not heard of it yet tells them all the same.
    await step(first.redis, breakerKeys(UPSTREAM), 0, '+++', false);
    await letPass(first.redis, 1000);
    const probe = passed(await first.enter());
    expect((await status()).state).toBe('open');
    first.breaker.record(true, probe);
    while (first.breaker.state() !== 'closed') await first.call(true);
    for (const pass of old) first.breaker.record(false, pass);
    await first.call(false);
    await eventually('the new failure is told', async () => (await status()).failures === 1);
    expect(first.states).toEqual(['open', 'half_open', 'closed']);
  });

  it('a clock that is set back does not keep it open', async () => {
    await open();
    await letPass(first.redis, -3_600_000);
    passed(await first.enter());
  });
});

describe('recovering', () => {
  it('calls come back step by step: each success lets two start, until all may', async () => {
    await recover();
    const began = performance.now();
    let [successes, started] = [1, 0];
    const mayHaveStarted = (): number => 2 * successes + Math.floor((performance.now() - began) / 1000);
    const atOnce: number[] = [];
    let queue: [Member, Pass][] = [];
    // Each of the three processes has always forty calls that would start.
    const wanting = fleet.flatMap((member) => Array.from({ length: 40 }, () => member));
    const run = async (member: Member): Promise<void> => {
      while (member.breaker.state() !== 'closed') {
        const entry = await member.enter();
        if (entry.kind !== 'pass' || !entry.probe) continue;
        expect(++started).toBeLessThanOrEqual(mayHaveStarted());
        queue.push([member, entry]);
      }
    };
    const runs = Promise.all(wanting.map(run));
    while (!fleet.every(({ breaker }) => breaker.state() === 'closed')) {
      await eventually('a call has started', () => queue.length > 0 || first.breaker.state() === 'closed');
      atOnce.push(queue.length);
      const done = queue;
      queue = [];
      for (const [member, pass] of done) {
        successes++;
        member.breaker.record(true, pass);
      }
    }
    await runs;
    expect(atOnce[0]).toBeLessThanOrEqual(2);
    expect(started).toBeGreaterThanOrEqual(127);
    expect((await status()).state).toBe('closed');
    expect(first.states).toEqual(['open', 'half_open', 'closed']);
  });

  it('a second outage meanwhile opens it again, and the interval goes on where it was', async () => {
    await recover();
    for (let i = 0; i < 10; i++) await first.call(true);
    const failures = await everyone(failUntilOpen);
    expect(failures.reduce((sum, n) => sum + n)).toBeLessThanOrEqual(20);
    const { nextProbeAt, since } = await status();
    expect(Number(nextProbeAt) - Number(since)).toBe(2000);
    await letPass(first.redis, 2000);
    second.breaker.record(true, passed(await second.enter()));
    await eventually('it recovers again', () => first.breaker.state() === 'half_open');
  });

  it('what a process was allowed to start dies with it, and others come back after a second', async () => {
    await recover();
    passed(await first.enter());
    passed(await first.enter());
    await first.close();
    await letPass(second.redis, 1000);
    second.breaker.record(true, passed(await second.enter()));
    expect(passed(await second.enter()).probe).toBe(true);
    fleet[0] = first = joinFleet(server.url);
  });

  it('a call that was called off before it started leaves its place to another', async () => {
    await recover();
    const [one, two] = [passed(await first.enter()), passed(await first.enter())];
    expect(await stored('starts')).toBe(0);
    first.breaker.record(null, one);
    await eventually('its place is free', async () => (await stored('starts')) === 1);
    first.breaker.record(true, two);
  });

  it('who waits for a turn and is called off, or whose breaker is closed, hears so at once', async () => {
    await recover();
    passed(await first.enter());
    passed(await first.enter());
    const abort = new AbortController();
    const waiting = [first.breaker.enter(abort.signal), first.enter()];
    abort.abort();
    expect(await waiting[0]).toEqual({ kind: 'aborted' });
    first.breaker.close();
    expect(await waiting[1]).toEqual({ kind: 'aborted' });
  });
});

it('while all is well no call asks Redis, and a thousand results are few commands', async () => {
  await first.call(true);
  const scripts = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await second.redis.info('commandstats'))?.[1] ?? 0);
  const before = await scripts();
  const began = performance.now();
  for (let i = 0; i < 1000; i++) await first.call(true);
  const quarters = Math.ceil((performance.now() - began) / 250);
  // The first looks may still have been under way: one each.
  expect((await scripts()) - before).toBeLessThanOrEqual(quarters + 3);
});
