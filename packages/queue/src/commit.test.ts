import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { type Commit, openCommit } from './commit.ts';
import { connectRedis } from './connect.ts';
import type { Durability } from './guard.ts';
import { bulk, type ScriptedRedis, scriptedRedis } from './testing/scripted-redis.ts';
import { openTestStore } from './testing/store.ts';
import { submitOne } from './testing/stored.ts';

const INFO = bulk('# Server\r\nredis_version:8.0.0\r\nloading:0\r\n');

/** A scripted server, as not every Redis at hand knows WAITAOF (7.2). Its disk answers when it is told to. */
describe('waiting for the disk of a scripted server', () => {
  let server: ScriptedRedis;
  let commit: Commit;
  let promised: Durability | null = 'waitaof';
  let connections = 0;
  const disk: ((synced: 0 | 1) => void)[] = [];

  beforeAll(async () => {
    server = await scriptedRedis(([command], reply) => {
      if (command === 'info') return INFO;
      if (command !== 'waitaof') return '+OK\r\n';
      disk.push((synced) => reply(`*2\r\n:${synced}\r\n:0\r\n`));
      return null;
    });
    commit = openCommit(
      async () => promised,
      () => {
        connections++;
        return connectRedis(server.url, 'hasty', () => undefined);
      },
    );
  });
  afterAll(async () => {
    await commit?.close();
    await server?.close();
  });
  const waits = (): number => server.commands.filter(([command]) => command === 'waitaof').length;
  /** Answers the one wait that is under way, once there is one. */
  const answerNext = async (synced: 0 | 1): Promise<void> => {
    const answer = await eventually('the disk is asked', () => disk.shift());
    answer(synced);
  };

  it('many who come together wait once; those who come while it is waited wait again, together', async () => {
    const before = waits();
    const first = Promise.all(Array.from({ length: 50 }, () => commit.commit()));
    await eventually('the disk is asked', () => disk.length === 1);
    let second = false;
    const later = Promise.all(Array.from({ length: 50 }, () => commit.commit())).then(() => {
      second = true;
    });
    await answerNext(1);
    await first;
    expect(second).toBe(false);
    await answerNext(1);
    await later;
    expect([waits() - before, connections]).toEqual([2, 1]);
  });

  it('before each wait there is a write of its own, so that there is something to wait for', async () => {
    const done = commit.commit();
    await answerNext(1);
    await done;
    const tail = server.commands.slice(-2);
    expect(tail.map(([command]) => command)).toEqual([expect.stringMatching(/^eval/), 'waitaof']);
    expect(tail[0]).toContain('mr:mark');
    expect(tail[1]?.slice(1, 3)).toEqual(['1', '0']);
  });

  it('a disk that does not follow in time is a 503: what was written may be lost', async () => {
    const late = Promise.all([commit.commit(), commit.commit()]);
    await answerNext(0);
    await expect(late).rejects.toMatchObject({ status: 503, code: 'redis_fsync_late' });
  });

  it('is asked only where that is what the server promises', async () => {
    const before = waits();
    for (promised of ['always', 'memory'] as const) await commit.commit();
    promised = null;
    await expect(commit.commit()).rejects.toMatchObject({ status: 503, code: 'redis_unavailable' });
    promised = 'waitaof';
    expect(waits()).toBe(before);
  });
});

describe('waiting for the disk of the Redis at hand', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await freshRedis({ settings: { appendfsync: 'everysec' } });
  });
  afterAll(() => redis?.dispose());

  it('with WAITAOF (Redis 7.2 or newer; nothing is waited for on an older one): submitting succeeds, and nobody else waits', async () => {
    const store = await openTestStore(redis.url, { kind: 'hasty' });
    const [major = 0, minor = 0] = redis.version.split('.').map(Number);
    const knows = major > 7 || (major === 7 && minor >= 2);
    expect(store.server()?.durability).toBe(knows ? 'waitaof' : 'memory');
    const silences: boolean[] = [];
    const watch = setInterval(() => silences.push(store.liveness.alive()), 10);
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 20 }, () => store.liveness.guard(() => submitOne(store))));
    }
    clearInterval(watch);
    expect(silences).not.toContain(false);
    expect(await store.redis.exists('mr:mark')).toBe(knows ? 1 : 0);
    await store.close();
  });
});
