/**
 * The demo's documents: the README of every installed package, real files that nobody wrote for us. One a package, of
 * its newest version, in the order of their names, so that two runs on one installation send the same.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Readme {
  package: string;
  version: string;
  text: string;
}

/** What is shorter holds no more than a link to where the documentation is. */
const LEAST_BYTES = 200;
/**
 * About 6,000 tokens: with the schema and the answer it fits the 8,192 tokens of a small local model, and what is
 * asked for stands near the top of a README.
 */
export const MAX_DOCUMENT_CHARACTERS = 24_000;
/** Files larger than this are no README; the rest is cut to the limit above. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** An installation with more packages than this shows nothing more by them. */
export const MAX_DOCUMENTS = 500;

/** The READMEs below `root`/node_modules/.pnpm; empty where nothing is installed there. */
export async function collectReadmes(root: string): Promise<Readme[]> {
  const newest = new Map<string, { version: string; folder: string; file: string }>();
  for (const { name, folder } of await installedPackages(join(root, 'node_modules/.pnpm'))) {
    const file = (await entriesOf(folder)).find((entry) => entry.isFile() && entry.name.toLowerCase() === 'readme.md');
    if (file === undefined) continue;
    const version = await versionOf(folder);
    const known = newest.get(name);
    if (known === undefined || compareVersions(version, known.version) > 0) {
      newest.set(name, { version, folder, file: file.name });
    }
  }
  const readmes: Readme[] = [];
  for (const [name, { version, folder, file }] of [...newest].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (readmes.length >= MAX_DOCUMENTS) break;
    const { size } = await stat(join(folder, file));
    if (size < LEAST_BYTES || size > MAX_FILE_BYTES) continue;
    const text = await readFile(join(folder, file), 'utf8');
    readmes.push({ package: name, version, text: text.slice(0, MAX_DOCUMENT_CHARACTERS).toWellFormed() });
  }
  return readmes;
}

/** The packages themselves: what they depend on stands beside them as links. */
async function installedPackages(store: string): Promise<{ name: string; folder: string }[]> {
  const found: { name: string; folder: string }[] = [];
  for (const place of await entriesOf(store)) {
    const modules = join(store, place.name, 'node_modules');
    for (const entry of await entriesOf(modules)) {
      if (!entry.isDirectory()) continue;
      if (!entry.name.startsWith('@')) {
        found.push({ name: entry.name, folder: join(modules, entry.name) });
        continue;
      }
      for (const scoped of await entriesOf(join(modules, entry.name))) {
        if (!scoped.isDirectory()) continue;
        found.push({ name: `${entry.name}/${scoped.name}`, folder: join(modules, entry.name, scoped.name) });
      }
    }
  }
  return found;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

async function versionOf(folder: string): Promise<string> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version?: unknown };
    return typeof manifest.version === 'string' ? manifest.version : '0.0.0';
  } catch {
    // A package without a readable manifest still has its README; any other version of it is newer.
    return '0.0.0';
  }
}

/** Positive when `a` is the newer one. By number, part for part; a pre-release comes before its release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => {
    const [release = '', ...pre] = (version.split('+')[0] ?? '').split('-');
    return { numbers: release.split('.').map(Number), pre: pre.join('-') };
  });
  if (left === undefined || right === undefined) return 0;
  for (let part = 0; part < 3; part++) {
    const difference = (left.numbers[part] || 0) - (right.numbers[part] || 0);
    if (difference !== 0) return difference;
  }
  if (left.pre === right.pre) return 0;
  if (left.pre === '') return 1;
  if (right.pre === '') return -1;
  return left.pre.localeCompare(right.pre, 'en', { numeric: true });
}
