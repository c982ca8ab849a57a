import { StartError } from '@millrace/core';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { type Durability, inspectServer, type ServerFacts } from './guard.ts';
import { bulk, list, scriptedRedis } from './testing/scripted-redis.ts';
import { openTestStore } from './testing/store.ts';

describe('a real Redis', () => {
  let redis: TestRedis;
  let client: Redis;
  beforeAll(async () => {
    redis = await freshRedis();
    client = new Redis(redis.url);
  });
  afterEach(async () => {
    await client.config('SET', 'appendonly', 'yes');
    await client.config('SET', 'appendfsync', 'always');
    await client.config('SET', 'maxmemory-policy', 'noeviction');
  });
  afterAll(async () => {
    await client?.quit();
    await redis?.dispose();
  });

  it('that fsyncs before it answers is durable as it is', async () => {
    expect(await inspectServer(client)).toEqual({ version: redis.version, durability: 'always' });
  });

  it('without an append-only file, or that leaves the fsync to the system, is memory', async () => {
    await client.config('SET', 'appendfsync', 'no');
    expect((await inspectServer(client)).durability).toBe('memory');
    await client.config('SET', 'appendfsync', 'always');
    await client.config('SET', 'appendonly', 'no');
    expect((await inspectServer(client)).durability).toBe('memory');
  });

  it('of every policy but noeviction is refused, saying how to mend it', async () => {
    for (const policy of ['allkeys-lru', 'volatile-ttl', 'allkeys-random', 'volatile-lfu']) {
      await client.config('SET', 'maxmemory-policy', policy);
      const refusal = inspectServer(client);
      await expect(refusal).rejects.toThrow(StartError);
      await expect(refusal).rejects.toThrow(new RegExp(`${policy}.*noeviction`));
    }
    await expect(openTestStore(redis.url)).rejects.toThrow(StartError);
  });

  it('that forbids CONFIG, as managed services do, is refused for its policy all the same', async () => {
    await client.call('ACL', 'SETUSER', 'managed', 'on', '>secret', '~*', '&*', '+@all', '-config');
    const managed = new Redis(redis.url, { username: 'managed', password: 'secret' });
    const { durability } = await inspectServer(managed);
    expect(['memory', 'waitaof']).toContain(durability);
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(inspectServer(managed)).rejects.toThrow('allkeys-lru');
    await managed.quit();
  });
});

/** Against a scripted server: what INFO and CONFIG would say on servers that are not at hand. */
describe('a scripted server that says it is', () => {
  async function inspect(info: string, fsync: string | null): Promise<ServerFacts> {
    const server = await scriptedRedis(([command, ...words]) => {
      if (command === 'info') return bulk(`# Server\r\n${info.split(' ').join('\r\n')}\r\nloading:0\r\n`);
      if (command === 'config') {
        return fsync === null ? '-NOPERM no CONFIG here\r\n' : list(words[1] ?? '', fsync);
      }
      return '+OK\r\n';
    });
    const client = new Redis(server.url, { lazyConnect: true });
    client.on('error', () => undefined);
    try {
      return await inspectServer(client);
    } finally {
      client.disconnect();
      await server.close();
    }
  }
  const AOF = 'maxmemory_policy:noeviction aof_enabled:1';

  it.each<[string, string | null, Durability]>([
    [`redis_version:7.0.15 ${AOF}`, 'everysec', 'memory'],
    [`redis_version:7.2.0 ${AOF}`, 'everysec', 'waitaof'],
    [`redis_version:8.4.1 ${AOF}`, 'everysec', 'waitaof'],
    [`redis_version:8.4.1 ${AOF}`, 'always', 'always'],
    [`redis_version:8.4.1 ${AOF}`, 'no', 'memory'],
    [`redis_version:8.4.1 ${AOF}`, null, 'waitaof'],
    [`redis_version:7.2.4 valkey_version:8.1.0 ${AOF}`, 'everysec', 'waitaof'],
    ['redis_version:8.4.1 maxmemory_policy:noeviction aof_enabled:0', 'always', 'memory'],
  ])('%s with appendfsync %s: %s', async (info, fsync, durability) => {
    expect((await inspect(info, fsync)).durability).toBe(durability);
  });

  it('older than 7.0, or that does not say what it is: refused', async () => {
    for (const version of ['6.2.14', '6.9.9', '5.0.0']) {
      await expect(inspect(`redis_version:${version} ${AOF}`, 'always')).rejects.toThrow(`Redis ${version} is too old`);
    }
    await expect(inspect(`dragonfly_version:1.2 ${AOF}`, 'always')).rejects.toThrow('does not say which Redis');
  });

  it('named by its own version where it is a Valkey', async () => {
    expect((await inspect(`redis_version:7.2.4 valkey_version:9.0.1 ${AOF}`, 'always')).version).toBe('9.0.1');
  });
});
