/** A real Redis for a test file: its own server, in a folder that is gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalRedis, startLocalRedis } from '@millrace/queue/local-redis';

const ROOT = join(import.meta.dirname, '..', '..');
/** Where a Redis that had to be unpacked stays between runs; `start` uses the same. */
export const REDIS_PACKAGE_DIR = join(ROOT, '.millrace', 'redis-package');

export interface TestRedis extends LocalRedis {
  dataDir: string;
  /** Stops the server and removes its data. */
  dispose(): Promise<void>;
}

export async function freshRedis(
  options: { port?: number; settings?: Record<string, string> } = {},
): Promise<TestRedis> {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
  const redis = await startLocalRedis({ dataDir, cacheDir: REDIS_PACKAGE_DIR, ...options });
  return {
    ...redis,
    dataDir,
    dispose: async () => {
      await redis.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
