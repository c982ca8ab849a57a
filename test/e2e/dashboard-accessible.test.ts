/** Every page can be used by everybody: axe finds nothing serious, in light and dark, wide and narrow, and by keyboard. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AxeFinding, seriousFindings } from '../harness/axe.ts';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { type DashboardPage, dashboardPages, openDashboardPage } from '../harness/dashboard-pages.ts';
import { type LivelyStack, startLivelyStack } from '../harness/lively-stack.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';

const missing = browserMissing();
const HEIGHT = 900;
/** Most of a visit is waiting for a page to come to rest. */
const AT_ONCE = 3;
/** What is drawn in the dark differs by its colours only. */
const IN_THE_DARK = ['color-contrast'];
const LOOKS = [1280, 390].flatMap((width) => [
  { colorScheme: 'light' as const, width, rules: undefined },
  { colorScheme: 'dark' as const, width, rules: IN_THE_DARK },
]);

/**
 * What of the page can be operated, in its order, of choices the chosen one: the arrows lead to the others. And whether
 * one sees where one is. Run in the browser.
 */
const OPERABLE = `[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter((element) => element.checkVisibility() && !element.disabled && element.tabIndex >= 0)
  .filter((element) => element.type !== 'radio' || element.checked)`;
const UNREACHED = `${OPERABLE}.filter((element) => !window.reached.has(element))`;
const WATCH = `(() => {
  document.activeElement?.blur();
  window.reached = new Set();
  window.unseen = [];
  document.addEventListener('focusin', ({ target }) => {
    window.reached.add(target);
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    if (outlineStyle === 'none' || parseFloat(outlineWidth) < 1) window.unseen.push(target.outerHTML.slice(0, 120));
  });
})()`;
/** Pressed before it is looked again: each look costs as much as a press. */
const TABS_AT_ONCE = 20;

describe.skipIf(missing !== null)(`in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let lively: LivelyStack;
  let locked: RoleProcess;
  let chromium: LaunchedBrowser;
  /** What is wrong with each page, found in one visit. */
  const serious: (AxeFinding & { at: string })[] = [];
  const wide: string[] = [];
  const keyboard: string[] = [];
  const visited: string[] = [];
  beforeAll(async () => {
    [lively, chromium] = await Promise.all([startLivelyStack(), launchBrowser()]);
    locked = await startRole('dashboard', { ...lively.stack.env, MILLRACE_API_KEYS: 'ops:operator:op-secret' });
    const pages = dashboardPages(lively.contents);
    const visitOn = async (): Promise<void> => {
      for (let entry = pages.shift(); entry !== undefined; entry = pages.shift()) await visitPage(entry);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, visitOn));
    await visit('sign-in', async (page) => {
      await page.goto(locked.url);
      await page.getByLabel('API key').waitFor();
    });
  }, 180_000);
  afterAll(async () => {
    await chromium?.close();
    await locked?.stop();
    await lively?.stop();
  });

  const visitPage = (entry: DashboardPage): Promise<void> =>
    visit(entry.name, (page) => openDashboardPage(page, lively.dashboard.url, entry));
  const visit = (name: string, open: (page: Page) => Promise<void>): Promise<void> =>
    withPage(
      chromium.browser,
      'about:blank',
      async (page) => {
        await open(page);
        visited.push(name);
        for (const control of await strayControls(page)) keyboard.push(`${name}: ${control}`);
        for (const { colorScheme, width, rules } of LOOKS) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await page.setViewportSize({ width, height: HEIGHT });
          const at = `${name}, ${colorScheme}, ${width} px`;
          for (const finding of await seriousFindings(page, rules)) serious.push({ at, ...finding });
          const over = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
          if (over > 0) wide.push(`${at}: by ${over} px`);
        }
      },
      { bypassCSP: true, viewport: { width: 1280, height: HEIGHT } },
    );

  it('axe finds nothing serious or critical on any page', () => {
    const names = dashboardPages(lively.contents).map(({ name }) => name);
    expect(visited.sort()).toEqual([...names, 'sign-in'].sort());
    expect(serious).toEqual([]);
  });

  it('no page is wider than its window', () => {
    expect(wide).toEqual([]);
  });

  it('Tab reaches every control of every page, and one sees where one is', () => {
    expect(keyboard).toEqual([]);
  });

  it('the first Tab offers to skip to the content, and Enter does it', async () => {
    await withPage(chromium.browser, lively.dashboard.url, async (page) => {
      await page.locator('main h1').waitFor();
      await page.keyboard.press('Tab');
      const skip = page.getByRole('link', { name: 'Skip to content' });
      expect(await skip.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
      expect((await skip.boundingBox())?.x).toBeGreaterThanOrEqual(0);
      await page.keyboard.press('Enter');
      await page.locator('main:focus').waitFor();
    });
  });
});

/** The controls that Tab did not reach, or that do not show that they are reached. */
async function strayControls(page: Page): Promise<string[]> {
  await page.evaluate(WATCH);
  const controls = await page.evaluate<number>(`${OPERABLE}.length`);
  // What scrolls is stopped at too.
  const most = 2 * controls + TABS_AT_ONCE;
  for (let pressed = 1; pressed <= most; pressed++) {
    await page.keyboard.press('Tab');
    if (pressed % TABS_AT_ONCE === 0 && (await page.evaluate<number>(`${UNREACHED}.length`)) === 0) break;
  }
  const unseen = await page.evaluate<string[]>('window.unseen');
  const unreached = await page.evaluate<string[]>(`${UNREACHED}.map((element) => element.outerHTML.slice(0, 120))`);
  return [...unseen.map((html) => `no outline: ${html}`), ...unreached.map((html) => `not reached: ${html}`)];
}
