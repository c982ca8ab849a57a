/** The breaker where Redis dies, stands still and comes back: it is an aid, never a gate of its own. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../../../../test/harness/crashable-redis.ts';
import { eventually } from '../../../../test/harness/eventually.ts';
import { breakerKeys } from '../keys.ts';
import { failUntilOpen, joinFleet, letPass, type Member, passed, UPSTREAM } from '../testing/breaker-fleet.ts';
import { readBreaker } from './read-breaker.ts';

let server: CrashableRedis;
let members: Member[] = [];
beforeAll(async () => {
  server = await crashableRedis();
});
afterEach(async () => {
  server.thaw();
  await Promise.all(members.map((member) => member.close()));
  members = [];
  await server.command('FLUSHALL');
});
afterAll(() => server?.dispose());

async function join(kind: 'patient' | 'hasty' = 'patient'): Promise<Member> {
  const member = joinFleet(server.url, kind);
  members.push(member);
  await member.ready();
  return member;
}

it('an outage is known after a restart of Redis, to those who were there and to new ones', async () => {
  const old = await join();
  await old.known();
  await failUntilOpen(old);
  await server.kill();
  await server.start();
  await old.ready();
  const newcomer = await join();
  expect((await readBreaker(newcomer.redis, UPSTREAM)).state).toBe('open');
  expect([(await old.enter()).kind, (await newcomer.enter()).kind]).toEqual(['open', 'open']);
  await letPass(old.redis, 1000);
  newcomer.breaker.record(true, passed(await newcomer.enter()));
  await eventually('the old one hears of it', () => old.breaker.state() === 'half_open');
});

for (const kind of ['patient', 'hasty'] as const) {
  it(`while Redis is away calls start and nothing throws, also if it was open (${kind})`, async () => {
    const [well, ill] = [await join(kind), await join(kind)];
    await well.known();
    await ill.known();
    await failUntilOpen(ill);
    await server.kill();
    await eventually('both have noticed', () => [well, ill].every(({ redis }) => redis.status !== 'ready'));
    for (let i = 0; i < 50; i++) {
      for (const { breaker, enter } of [well, ill]) breaker.record(i % 2 === 0, passed(await enter()));
    }
    await server.start();
    await Promise.all([well.ready(), ill.ready()]);
    await eventually('the outage is known again', async () => (await well.enter()).kind === 'open');
  });
}

it('a process that starts while Redis is away makes its calls', async () => {
  await server.stop();
  const member = joinFleet(server.url);
  members.push(member);
  member.breaker.record(false, passed(await member.enter()));
  await server.start();
  await member.known();
  expect(await failUntilOpen(member)).toBeGreaterThanOrEqual(10);
});

it('a Redis that stands still holds a call up for a second at most', async () => {
  const member = await join();
  await member.known();
  await failUntilOpen(member);
  server.freeze();
  const began = performance.now();
  expect(passed(await member.enter()).probe).toBe(false);
  expect(performance.now() - began).toBeLessThan(2000);
});

it('a Redis that has lost the outage is believed: calls start and count', async () => {
  const member = await join();
  await member.known();
  await failUntilOpen(member);
  await member.redis.flushall();
  await eventually('it is believed', async () => (await member.enter()).kind === 'pass');
  expect(member.breaker.state()).toBe('closed');
  expect(await failUntilOpen(member)).toBeGreaterThanOrEqual(10);
});

it('so is one that came back with how things stood before the outage', async () => {
  const member = await join();
  await member.known();
  const { breaker } = breakerKeys(UPSTREAM);
  const before = await member.redis.hgetall(breaker);
  await failUntilOpen(member);
  await member.redis.hset(breaker, before);
  await member.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await eventually('it is believed', () => member.breaker.state() === 'closed');
  expect(await failUntilOpen(member)).toBeGreaterThanOrEqual(10);
});

it('errors of Redis are told and stop no call', async () => {
  const member = await join();
  await member.known();
  await member.redis.set(breakerKeys(UPSTREAM).breaker, 'not a hash');
  expect(await member.call(false)).toBe(true);
  await eventually('it is told', () => member.errors.some(({ message }) => message.includes('WRONGTYPE')));
  expect(await member.call(false)).toBe(true);
});
