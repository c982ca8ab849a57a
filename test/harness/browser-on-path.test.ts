import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { candidates, runs } from './browser-on-path.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-path-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function put(folder: string, name: string, script: string | null): string {
  mkdirSync(join(root, folder), { recursive: true });
  const file = join(root, folder, name);
  writeFileSync(file, script === null ? '' : `#!/bin/sh\n${script}\n`);
  if (script !== null) chmodSync(file, 0o755);
  return file;
}

it('executables of a browser’s name are found in the order of the path; what cannot be run is none', () => {
  const chrome = put('first', 'google-chrome', 'echo Google Chrome 153');
  const chromium = put('second', 'chromium', 'echo Chromium 153');
  put('first', 'chromium', null);
  put('first', 'firefox', 'echo Firefox');
  const path = ['', join(root, 'none'), join(root, 'first'), join(root, 'second')].join(delimiter);
  expect(candidates(path)).toEqual([chrome, chromium]);
  expect(candidates('')).toEqual([]);
});

it('a stub that only says how to install a browser is none', () => {
  expect(runs(put('third', 'chromium', 'echo Chromium 153.0.1'))).toBe(true);
  expect(runs(put('third', 'chromium-browser', 'echo "apt install chromium" >&2; exit 1'))).toBe(false);
  expect(runs(put('third', 'chrome', 'echo "Command needs the snap to be installed"'))).toBe(false);
});
