import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ROOT } from '../roles.ts';
import { collectReadmes, compareVersions, MAX_DOCUMENT_CHARACTERS } from './collect-readmes.ts';

let root: string;
const LONG = 'What this package does. '.repeat(20);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-readmes-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Lays a package into the store as pnpm does. */
function install(name: string, version: string, files: Record<string, string>): string {
  const place = `${name.replace('/', '+')}@${version}`;
  const folder = join(root, 'node_modules/.pnpm', place, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version }));
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

test('one README a package, of its newest version, sorted by name', async () => {
  install('zebra', '1.9.0', { 'README.md': `nine ${LONG}` });
  install('zebra', '1.10.0', { 'readme.md': `ten ${LONG}` });
  install('zebra', '1.10.0-beta.2', { 'README.md': `beta ${LONG}` });
  install('@scope/ant', '0.1.0', { 'Readme.md': LONG });
  const found = await collectReadmes(root);
  expect(found.map((readme) => [readme.package, readme.version])).toEqual([
    ['@scope/ant', '0.1.0'],
    ['zebra', '1.10.0'],
  ]);
  expect(found[1]?.text).toMatch(/^ten /);
});

test('a package that another one links to is not taken for that one', async () => {
  const folder = install('one', '1.0.0', { 'README.md': LONG });
  const link = join(root, 'node_modules/.pnpm/two@1.0.0/node_modules/one');
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(folder, link);
  expect(await collectReadmes(root)).toHaveLength(1);
});

test('what is no README worth reading is left out: too short, another name, a folder', async () => {
  install('short', '1.0.0', { 'README.md': 'See the site.' });
  install('other', '1.0.0', { 'README.txt': LONG, 'CHANGELOG.md': LONG });
  mkdirSync(join(install('folder', '1.0.0', {}), 'readme.md'));
  expect(await collectReadmes(root)).toEqual([]);
});

test('a long README is cut at the limit, and stays whole text where a character would be split', async () => {
  install('long', '1.0.0', { 'README.md': `${'x'.repeat(MAX_DOCUMENT_CHARACTERS - 1)}😀 and more` });
  const [readme] = await collectReadmes(root);
  expect(readme?.text).toHaveLength(MAX_DOCUMENT_CHARACTERS);
  expect(readme?.text.isWellFormed()).toBe(true);
});

test('nothing installed is no fault', async () => {
  expect(await collectReadmes(root)).toEqual([]);
});

test('this workspace has enough real documents to show the demo on', async () => {
  const found = await collectReadmes(ROOT);
  expect(found.length).toBeGreaterThan(100);
  expect(found.map((readme) => readme.package)).toContain('bullmq');
  expect(new Set(found.map((readme) => readme.package)).size).toBe(found.length);
});

test('versions are compared by number, and a pre-release comes before its release', () => {
  const sorted = ['0.9.0', '1.0.0-alpha', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0', '1.2.0', '1.10.0', '10.0.0'];
  for (const [place, version] of sorted.entries()) {
    for (const later of sorted.slice(place + 1)) {
      expect(compareVersions(version, later), `${version} < ${later}`).toBeLessThan(0);
      expect(compareVersions(later, version), `${later} > ${version}`).toBeGreaterThan(0);
    }
    expect(compareVersions(version, version)).toBe(0);
  }
});
