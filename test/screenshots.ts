/**
 * `npx pnpm@12 screenshots`: pictures of every page, in light and dark, of a stack on a busy afternoon, into
 * docs/screenshots. Made to be looked at: by who changes a page, and by who reads the README.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { browserMissing, launchBrowser } from './harness/browser.ts';
import { dashboardPages, openDashboardPage } from './harness/dashboard-pages.ts';
import { startLivelyStack } from './harness/lively-stack.ts';
import { startRole } from './harness/processes.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'screenshots');
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
/** Of a long page, its beginning. */
const MOST_HEIGHT = 1500;
/** Shown on a phone as well. */
const NARROW_PAGES = new Set(['overview', 'job', 'failed-job', 'failures']);
const SCHEMES = ['light', 'dark'] as const;

async function main(): Promise<void> {
  const missing = browserMissing();
  if (missing !== null) throw new Error(missing);
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const [lively, chromium] = await Promise.all([startLivelyStack(), launchBrowser()]);
  const locked = await startRole('dashboard', { ...lively.stack.env, MILLRACE_API_KEYS: 'ops:operator:op-secret' });
  try {
    const sights = Object.entries(lively.sights).map(([name, id]) => ({ name: `job-${name}`, path: `/jobs/${id}` }));
    for (const entry of [...dashboardPages(lively.contents), ...sights]) {
      await look(chromium.browser, (page) => openDashboardPage(page, lively.dashboard.url, entry), entry.name);
    }
    await look(chromium.browser, (page) => openSignIn(page, locked.url), 'sign-in');
  } finally {
    await chromium.close();
    await locked.stop();
    await lively.stop();
  }
  const sizes = await Promise.all((await readdir(FOLDER)).map(async (name) => (await stat(join(FOLDER, name))).size));
  const kilobytes = Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024);
  console.log(`${sizes.length} pictures, ${kilobytes} kB, in docs/screenshots`);
}

async function openSignIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('API key').waitFor();
}

async function look(browser: Browser, open: (page: Page) => Promise<void>, name: string): Promise<void> {
  const page = await browser.newPage({ viewport: WIDE, reducedMotion: 'reduce' });
  try {
    await open(page);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(WIDE);
      await take(page, `${name}-${colorScheme}`);
      if (!NARROW_PAGES.has(name)) continue;
      await page.setViewportSize(NARROW);
      await take(page, `${name}-narrow-${colorScheme}`);
    }
  } finally {
    await page.close();
  }
}

async function take(page: Page, name: string): Promise<void> {
  const width = page.viewportSize()?.width ?? WIDE.width;
  const whole = await page.evaluate<number>('document.documentElement.scrollHeight');
  const clip = { x: 0, y: 0, width, height: Math.min(whole, MOST_HEIGHT) };
  await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: true, clip, animations: 'disabled' });
}

await main();
