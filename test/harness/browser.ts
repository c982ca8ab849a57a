/**
 * A real Chromium for tests: the one on PATH, else one from an npm package, so that none is needed. That is unpacked
 * once, next to what else is kept between runs; a half unpacked one is never used, however many test files start at the
 * same time.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { browserOnPath } from './browser-on-path.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LAUNCH_MS = 30_000;
/** 67 MB of brotli: two seconds here. */
const UNPACK_MS = 120_000;

export interface LaunchedBrowser {
  browser: Browser;
  /** Ends every process of the browser; its profile goes with it. */
  close(): Promise<void>;
}

/** Why no browser can run here, or null when one can. For tests to be skipped by, with the reason. */
export function browserMissing(): string | null {
  if (browserOnPath() !== null || (process.platform === 'linux' && process.arch === 'x64')) return null;
  const here = `${process.platform} ${process.arch}`;
  return `no Chromium or Chrome on PATH, and that of the npm package runs on Linux x64 only, this is ${here}`;
}

/** Starts a headless Chromium. */
export async function launchBrowser(): Promise<LaunchedBrowser> {
  const browser = await chromium.launch({
    ...(await whichBrowser()),
    headless: true,
    // Its sandbox needs privileges that containers and root do not have; it is shown our own pages only. Without a
    // language it takes the machine's, which may be none ('en-US@posix') that Intl knows.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--font-render-hinting=none',
      '--accept-lang=en-US',
    ],
    timeout: LAUNCH_MS,
  });
  return { browser, close: () => browser.close() };
}

async function whichBrowser(): Promise<{ executablePath: string; env?: Record<string, string> }> {
  const onPath = browserOnPath();
  if (onPath !== null) return { executablePath: onPath };
  const folder = await unpackedChromium();
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  };
}

/** Opens a page in a context of its own, which is closed when `look` has ended, however it ends. */
export async function withPage(
  browser: Browser,
  url: string,
  look: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    await page.goto(url);
    await look(page);
  } finally {
    await context.close();
  }
}

/** The folder of the unpacked browser. */
async function unpackedChromium(): Promise<string> {
  const pinned = JSON.parse(await readFile(join(ROOT, 'test', 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const parent = join(ROOT, '.millrace', 'chromium');
  const folder = join(parent, pinned.dependencies['@sparticuz/chromium'] ?? 'unpinned');
  if (existsSync(folder)) return folder;
  await mkdir(parent, { recursive: true });
  const fresh = await mkdtemp(join(parent, 'unpacking-'));
  try {
    await unpackInto(fresh);
    await writeFile(join(fresh, 'fonts.conf'), fontConfiguration(folder));
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another test file may have been quicker: its folder is as good.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/**
 * The package unpacks into the temp folder of its process, and brings nss and its fonts along only where it believes to
 * be in AWS Lambda: so it runs in a process of its own, with both as they should be.
 */
async function unpackInto(folder: string): Promise<void> {
  const script = "const { default: chromium } = await import('@sparticuz/chromium'); await chromium.executablePath();";
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(ROOT, 'test'),
    env: { PATH: process.env.PATH ?? '', TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
    timeout: UNPACK_MS,
  });
}

/** The package's fonts first would make every machine look alike; the system's are there for what they lack. */
function fontConfiguration(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`;
}
