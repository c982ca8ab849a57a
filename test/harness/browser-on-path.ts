/** A Chromium or Chrome of the system, where there is one that runs: looked for once in a process. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
/** Some distributions put a script there that only says how to install it. */
const ANSWERS_WITHIN_MS = 10_000;

let found: string | null | undefined;

/** The path of the first one that says its version; null: there is none. */
export function browserOnPath(): string | null {
  found ??= candidates(process.env.PATH ?? '').find(runs) ?? null;
  return found;
}

/** Executables of a browser's name, in the order of the path. */
export function candidates(path: string): string[] {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether it is a browser, and not a stub in its place. */
export function runs(file: string): boolean {
  try {
    const said = execFileSync(file, ['--version'], {
      timeout: ANSWERS_WITHIN_MS,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /chrom/i.test(said);
  } catch {
    return false;
  }
}
