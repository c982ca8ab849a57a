/**
 * The pages in web/ as files to serve. They are built where they have not been yet, once for each state of their
 * sources: so a fresh clone needs no build step, and an image is built with them inside (`node build-web.ts`).
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const WEB = join(import.meta.dirname, '..', 'web');
const BUILT = join(WEB, 'dist');
/** Below this a file is not worth a second one. */
const COMPRESSED_FROM_BYTES = 1024;

export interface Web {
  folder: string;
  /** Of the sources: a page that shows another one is an old one. */
  version: string;
}

/** The folder of the built pages; builds them first where they are missing. Several processes may do so at once. */
export async function builtWeb(): Promise<Web> {
  const version = await versionOfSources();
  const folder = join(BUILT, version);
  if (!existsSync(folder)) await build(folder);
  return { folder, version };
}

async function build(folder: string): Promise<void> {
  const fresh = join(BUILT, `building-${randomBytes(6).toString('hex')}`);
  await mkdir(BUILT, { recursive: true });
  try {
    // Not needed where the pages are there already: it takes half a second to load.
    const vite = await import('vite');
    await vite.build({ configFile: join(WEB, 'vite.config.ts'), build: { outDir: fresh, emptyOutDir: true } });
    await compress(fresh);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process may have been quicker: its folder is as good.
    if (!existsSync(folder)) throw error;
  }
  await removeOthers(folder);
}

async function compress(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const content = await readFile(file);
    if (content.length < COMPRESSED_FROM_BYTES) continue;
    await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
  }
}

/** What earlier sources were built into; what is being built now is left alone. */
async function removeOthers(folder: string): Promise<void> {
  for (const name of await readdir(BUILT)) {
    const other = join(BUILT, name);
    if (other !== folder && !name.startsWith('building-')) await rm(other, { recursive: true, force: true });
  }
}

/** A hash of everything that the pages are made of. */
async function versionOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of [join(WEB, 'src'), join(WEB, 'public'), join(import.meta.dirname, 'views')]) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) hash.update(file.slice(WEB.length)).update(await readFile(file));
  }
  for (const file of ['index.html', 'vite.config.ts', '../package.json']) hash.update(await readFile(join(WEB, file)));
  return hash.digest('hex').slice(0, 16);
}

if (import.meta.main) await builtWeb();
