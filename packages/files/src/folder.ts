/** Files in a folder: of one machine, or a volume that all processes share. Written aside, synced, then given their name. */
import { randomBytes } from 'node:crypto';
import type { createReadStream } from 'node:fs';
import { mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { bounded, checkedName, type FileStorage, NotStoredError } from './storage.ts';

/** What is being written; what is left of a process that died goes with the orphans. */
const ASIDE = '.part-';

export function openFolder(folder: string): FileStorage {
  const path = (name: string): string => join(folder, checkedName(name));
  return {
    write: async (name, source, maxBytes = Number.POSITIVE_INFINITY) => {
      const target = path(name);
      await mkdir(folder, { recursive: true });
      const aside = join(folder, `${ASIDE}${name}-${randomBytes(6).toString('hex')}`);
      const written = { bytes: 0 };
      const file = await open(aside, 'wx');
      try {
        for await (const chunk of bounded(source, maxBytes, written)) await file.writeFile(chunk);
        await file.sync();
        await file.close();
        await rename(aside, target);
      } catch (error) {
        await file.close().catch(() => undefined);
        await rm(aside, { force: true });
        throw error;
      }
      await syncFolder(folder);
      return written;
    },
    read: async (name) => {
      const file = await open(path(name)).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? new NotStoredError(`there is no file ${name}`) : error;
      });
      return file.createReadStream() as ReturnType<typeof createReadStream> satisfies Readable;
    },
    remove: (name) => rm(path(name), { force: true }),
    olderThan: (beforeMs) => namesOlderThan(folder, beforeMs),
    close: () => undefined,
  };
}

/** So that the new name is on disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}

async function* namesOlderThan(folder: string, beforeMs: number): AsyncGenerator<string> {
  let entries: Awaited<ReturnType<typeof opendir>>;
  try {
    entries = await opendir(folder);
  } catch (error) {
    // Nothing was ever stored.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for await (const { name } of entries) {
    const found = await stat(join(folder, name)).catch(() => null);
    if (found === null || found.mtimeMs >= beforeMs) continue;
    if (name.startsWith(ASIDE)) await rm(join(folder, name), { force: true });
    else yield name;
  }
}
