/** Both places keep the same promise: a file is stored whole or not at all. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig } from '@millrace/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileStorage, NotStoredError, openFiles } from './index.ts';
import { type BucketServer, bucketServer } from './testing/bucket-server.ts';

let folder: string;
let server: BucketServer;
const places: Partial<Record<'folder' | 'bucket', FileStorage>> = {};

const ENVIRONMENT = { openaiApiKey: null, openaiBaseUrl: null } as unknown as Parameters<typeof resolveConfig>[1];
const settings = (files: object) => resolveConfig({ files }, ENVIRONMENT).files;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-files-'));
  server = await bucketServer();
  const s3 = {
    ...{ bucket: 'mill', prefix: 'race/', endpoint: server.url, forcePathStyle: true },
    ...{ accessKeyId: 'key', secretAccessKey: 'secret' },
  };
  places.folder = await openFiles(settings({ directory: folder }), '/nowhere');
  places.bucket = await openFiles(settings({ s3 }), '/nowhere');
});
afterAll(async () => {
  for (const place of Object.values(places)) place.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function* broken(bytes: Buffer): AsyncGenerator<Buffer> {
  yield* pieces(bytes, 100_000);
  throw new Error('the client is gone');
}
async function whole(place: FileStorage, name: string): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of await place.read(name)) found.push(piece as Buffer);
  return Buffer.concat(found);
}
const stored = async (kind: 'folder' | 'bucket'): Promise<string[]> =>
  kind === 'folder' ? await readdir(folder) : [...server.objects.keys()].map((key) => key.replace('race/', ''));

describe.each(['folder', 'bucket'] as const)('a %s', (kind) => {
  const place = (): FileStorage => places[kind] as FileStorage;

  it('gives back every byte, also of a file that takes many parts', async () => {
    const bytes = randomBytes(20 * 1024 * 1024 + 17);
    const before = server.parts();
    expect(await place().write('large', pieces(bytes, 65_000))).toEqual({ bytes: bytes.length });
    expect((await whole(place(), 'large')).equals(bytes)).toBe(true);
    if (kind === 'bucket') expect(server.parts() - before).toBe(3);
    await place().write('small', pieces(Buffer.from('ünï'), 1));
    expect((await whole(place(), 'small')).toString()).toBe('ünï');
    await place().remove('large');
    await expect(place().read('large')).rejects.toBeInstanceOf(NotStoredError);
    await place().remove('large');
  });

  it('keeps nothing of what breaks off, or is too large', async () => {
    const bytes = randomBytes(12 * 1024 * 1024);
    const before = await stored(kind);
    await expect(place().write('cut', broken(bytes))).rejects.toThrow('the client is gone');
    await expect(place().write('over', pieces(bytes, 70_000), bytes.length - 1)).rejects.toMatchObject({ status: 413 });
    expect(await stored(kind)).toEqual(before);
    expect(server.openUploads()).toBe(0);
    expect(await place().write('just', pieces(bytes, 70_000), bytes.length)).toEqual({ bytes: bytes.length });
  });

  it('takes no name that could lead elsewhere', async () => {
    for (const name of ['../x', 'a/b', '', '.', 'a\0', 'x'.repeat(129)]) {
      await expect(place().write(name, pieces(Buffer.from('x'), 1)), name).rejects.toThrow('letters, digits');
      await expect(place().read(name), name).rejects.toThrow('letters, digits');
    }
  });

  it('tells what is old', async () => {
    await place().write('old', pieces(Buffer.from('x'), 1));
    if (kind === 'folder') {
      await utimes(join(folder, 'old'), 1_577_836_800, 1_577_836_800);
      await writeFile(join(folder, '.part-dead-1'), 'x');
      await utimes(join(folder, '.part-dead-1'), 1_577_836_800, 1_577_836_800);
    }
    const old: string[] = [];
    for await (const name of place().olderThan(Date.UTC(2021, 0))) old.push(name);
    expect(old).toContain('old');
    expect(await stored(kind)).not.toContain('.part-dead-1');
  });
});

it('a folder that was never written to has nothing old', async () => {
  const empty = await openFiles(settings({}), join(folder, 'never'));
  for await (const name of empty.olderThan(Date.now())) expect(name).toBe('none');
  await expect(empty.read('x')).rejects.toBeInstanceOf(NotStoredError);
});

it('a configuration that names two places is refused by its path', () => {
  expect(() => settings({ directory: '/x', s3: { bucket: 'b' } })).toThrow('files.s3');
});
