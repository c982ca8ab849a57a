/** Script payloads in every field that a user or a model can fill: none runs, on no page, ours or bull-board's. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser } from '../harness/browser.ts';
import { type DashboardStack, startDashboard } from '../harness/dashboard.ts';
import {
  boardPages,
  type DashboardContents,
  type DashboardPage,
  dashboardPages,
  openDashboardPage,
  unfold,
} from '../harness/dashboard-pages.ts';
import { FOREIGN_HOST, HOSTILE_KEY, makeHostile, SHOWN } from '../harness/hostile-jobs.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';

const missing = browserMissing();
/** Most of the time goes by while a page comes to rest. */
const AT_ONCE = 3;

/** These show payloads for certain, so that a page that shows nothing passes for none. */
const SHOWS_PAYLOADS = new Set([
  'jobs',
  'job',
  'failed-job',
  'failures',
  'cohort',
  'action',
  'batch',
  'flow',
  'audit',
  'board-job',
]);
/** What could run, or lead to what runs. React and bull-board leave JSON in a script of its own type. */
const ACTIVE = [
  'script:not([src]):not([type="application/json"])',
  `[src*="${FOREIGN_HOST}"], link[href*="${FOREIGN_HOST}"], base[href*="${FOREIGN_HOST}"]`,
  'main iframe, main object, main embed, main base, main style, main link',
  'a[href^="javascript:" i], a[href^="data:text" i], a[href^="vbscript:" i], form[action^="javascript:" i]',
  '[onerror], [onload], [srcdoc]',
].join(', ');

describe.skipIf(missing !== null)(`in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: DashboardStack;
  let dashboard: RoleProcess;
  let chromium: LaunchedBrowser;
  let contents: DashboardContents;
  beforeAll(async () => {
    [stack, chromium] = await Promise.all([startDashboard(), launchBrowser()]);
    dashboard = await startRole('dashboard', { ...stack.env, MILLRACE_API_KEYS: `${HOSTILE_KEY}:operator:a-secret` });
    contents = await makeHostile(stack.store);
  }, 120_000);
  afterAll(async () => {
    await chromium?.close();
    await dashboard?.stop();
    await stack?.stop();
  });

  it('no payload runs, opens a dialog, asks another host or stands in a page as anything but text', async () => {
    const context = await chromium.browser.newContext();
    const dialogs: string[] = [];
    const foreign: string[] = [];
    const violations: string[] = [];
    const visited: string[] = [];
    const own = new URL(dashboard.url).host;
    await context.route(
      (url) => url.host !== own && /^https?:$/.test(url.protocol),
      (route) => {
        foreign.push(route.request().url());
        return route.abort();
      },
    );
    const tryPage = async (entry: DashboardPage): Promise<void> => {
      const at = entry.name;
      const page = await context.newPage();
      page.on('dialog', (dialog) => {
        dialogs.push(`${at}: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('console', (message) => {
        // bull-board asks for a web font of its own accord, and is refused it.
        const text = message.text();
        if (/Content Security Policy/.test(text) && !text.includes('fonts.googleapis'))
          violations.push(`${at}: ${text}`);
      });
      await openDashboardPage(page, dashboard.url, entry);
      await unfold(page);
      visited.push(at);
      if (!entry.foreign) expect(await page.locator('.who').textContent()).toContain(HOSTILE_KEY);
      expect(await page.evaluate('window.hit'), at).toBeUndefined();
      const active = page.locator(ACTIVE);
      expect(await active.evaluateAll((found) => found.map(({ outerHTML }) => outerHTML)), at).toEqual([]);
      if (at === 'failed-job') {
        const lines = await page.locator('.attempts .log li').allTextContents();
        expect(lines.map((line) => line.includes(SHOWN))).toEqual([true, true, true]);
      }
      if (SHOWS_PAYLOADS.has(at)) {
        expect((await page.locator('body').textContent()) ?? '', `${at} shows what it was given`).toContain(SHOWN);
      }
      await page.close();
    };
    try {
      const first = await context.newPage();
      await signInAs(first, dashboard.url);
      const pages = [...dashboardPages(contents), ...boardPages('generate', contents.job)];
      const names = pages.map(({ name }) => name);
      const tryOn = async (): Promise<void> => {
        for (let entry = pages.shift(); entry !== undefined; entry = pages.shift()) await tryPage(entry);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, tryOn));
      expect(visited.sort()).toEqual(names.sort());
      expect({ dialogs, foreign, violations }).toEqual({ dialogs: [], foreign: [], violations: [] });
    } finally {
      await context.close();
    }
  }, 120_000);
});

async function signInAs(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('API key').fill('a-secret');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#live.live').waitFor();
}
