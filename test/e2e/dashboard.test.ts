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

    it.each([
      ['/jobs/x', 'There is no such job'],
      ['/flows/x', 'There is no flow'],
      ['/batches/x', 'No batch found'],
      ['/actions/x', 'There is no such action'],
      ['/failures/x', 'There is no such cause'],
      ['/failures?queue=nowhere', 'There is no queue nowhere'],
    ])('the page of what there is not says so, and stays live: %s', async (path, words) => {
      await withPage(chromium.browser, `${stack.dashboard.url}${path}`, async (page) => {
        await page.getByText(words).first().waitFor();
        await page.locator('#live.live').waitFor();
      });
    });

    it('a page that breaks says so, and the others can be reached', async () => {
      await withPage(chromium.browser, stack.dashboard.url, async (page) => {
        await page.route('**/api/audit**', (route) => route.fulfill({ json: { acts: [null] } }));
        await page.goto(`${stack.dashboard.url}/audit`);
        await page.getByRole('heading', { name: 'This page broke' }).waitFor();
        await page.getByRole('link', { name: 'Overview' }).click();
        await page.locator('#live.live').waitFor();
      });
    });
  },
);
