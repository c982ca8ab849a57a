/** A disk of a few megabytes that a test can fill: a tmpfs, where this process may mount one. */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PIECE = Buffer.alloc(64 * 1024);

export interface SmallDisk {
  path: string;
  /** Leaves no byte free. Again and again, if something has been freed meanwhile. */
  fill(): Promise<void>;
  /** Frees what `fill` took. */
  free(): Promise<void>;
  /** Unmounts it; whoever had files there must be gone. */
  dispose(): Promise<void>;
}

/** Mounts one, or tells why that cannot be done here. */
export async function smallDisk(megabytes: number): Promise<SmallDisk | { none: string }> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  } catch {
    // Not root, no CAP_SYS_ADMIN, no mount command: all the same to whoever asks.
    await rmdir(path);
    return { none: 'no tmpfs may be mounted here' };
  }
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: async () => {
      const file = await open(ballast, 'a');
      try {
        for (let piece = PIECE; piece.length > 0; ) {
          try {
            await file.appendFile(piece);
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
            piece = piece.subarray(0, Math.floor(piece.length / 2));
          }
        }
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    dispose: async () => {
      await run('umount', [path]);
      await rmdir(path);
    },
  };
}
