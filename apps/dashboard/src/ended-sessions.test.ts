import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { createLog, loadConfig, readEnvironment } from '@millrace/core';
import { openStore, type Store } from '@millrace/queue';
import type { Response } from 'express';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { openEndedSessions } from './ended-sessions.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  const config = await loadConfig(readEnvironment({}));
  store = await openStore({ redisUrl: redis.url, config, log: createLog('test', 'silent'), kind: 'hasty' });
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

it('a stream ends soon after its session was signed out of at another dashboard; others go on', async () => {
  const [one, other] = [openEndedSessions(store), openEndedSessions(store, 5)];
  const [theirs, mine] = [new PassThrough(), new PassThrough()];
  other.follow('theirs', theirs as unknown as Response);
  other.follow('of both', mine as unknown as Response);
  await one.end('of both', Date.now() + 60_000);
  await once(mine.resume(), 'end');
  expect(theirs.writableEnded).toBe(false);
  for (const stream of [theirs, mine]) stream.destroy();
});

it('a session that was signed out of at one dashboard is over at every other one', async () => {
  const [one, other] = [openEndedSessions(store), openEndedSessions(store)];
  await one.end('mine', Date.now() + 60_000);
  expect([await one.has('mine'), await other.has('mine')]).toEqual([true, true]);
  expect([await one.has('yours'), await other.has('yours')]).toEqual([false, false]);
});
