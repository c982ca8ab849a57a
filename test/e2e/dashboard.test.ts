/** The dashboard in a real browser: its pages are there, and live. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { type DashboardStack, startDashboard } from '../harness/dashboard.ts';

const missing = browserMissing();

describe.skipIf(missing !== null)(
  `the dashboard in a browser${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let stack: DashboardStack;
    let chromium: LaunchedBrowser;
    beforeAll(async () => {
      [stack, chromium] = await Promise.all([startDashboard(), launchBrowser()]);
    });
    afterAll(async () => {
      await chromium?.close();
      await stack?.stop();
    });

    it('a page opens without a key where none is configured, and says that it is live', async () => {
      await withPage(chromium.browser, stack.dashboard.url, async (page) => {
        await page.locator('#live.live').waitFor();
        expect(await page.title()).toBe('Overview · Millrace');
      });
    });
  },
);
