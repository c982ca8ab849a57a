import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@millrace/queue/local-redis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { freshRedis, REDIS_PACKAGE_DIR } from '../../../test/harness/redis.ts';
import { runRedis, useRedis, withoutCredentials } from './keep-redis.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-keep-redis-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a Redis that dies is started again on the same port, and both are told', async () => {
  // Fills the shared package folder, so that what is tested here fetches nothing.
  await (await freshRedis()).dispose();
  symlinkSync(REDIS_PACKAGE_DIR, join(folder, 'redis-package'));
  const told: string[] = [];
  const redis = await runRedis(folder, 'shown', {
    tell: () => {},
    later: (line) => told.push(line),
    signal: new AbortController().signal,
  });
  expect(redis.detail).toContain('shown/redis (kept between runs)');
  const { pid } = JSON.parse(readFileSync(join(folder, 'redis', 'server.json'), 'utf8')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(told).toContain('redis is back'), { timeout: 15_000 });
  expect(told).toEqual(['redis ended; starting it again on its data', 'redis is back']);
  await useRedis(redis.url);
  await redis.stop();
  await expect(useRedis(redis.url)).rejects.toThrow('nobody answers');
}, 120_000);

test('the Redis of somebody else is used where it answers, told where it does not, and never stopped', async () => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const redis = await useRedis(`redis://user:secret@127.0.0.1:${port}/3`);
  expect(redis.detail).toBe(`redis://127.0.0.1:${port}/3, from REDIS_URL`);
  await redis.stop();
  expect(server.listening).toBe(true);
  server.close();
  await expect(useRedis(`redis://:secret@127.0.0.1:${await freePort()}`)).rejects.toThrow(/^REDIS_URL: nobody answers/);
});

test('no password is shown', () => {
  expect(withoutCredentials('redis://user:secret@host:1/2')).toBe('redis://host:1/2');
  expect(withoutCredentials('http://key@host/v1')).toBe('http://host/v1');
  expect(withoutCredentials('no url: secret')).toBe('(no URL)');
});
