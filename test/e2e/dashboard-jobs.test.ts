/** The jobs page in a real browser: found by what was said, by metadata and by error, page by page, and by its address. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobsView } from '../../apps/dashboard/src/views/jobs.ts';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { type DashboardStack, end, startDashboard, submitOne } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';

const missing = browserMissing();
const MANY = 120;
const PAYLOAD = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';

describe.skipIf(missing !== null)(
  `the jobs page in a browser${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let stack: DashboardStack;
    let chromium: LaunchedBrowser;
    let spoken: string;
    let refused: string;
    let hostile: string;
    beforeAll(async () => {
      [stack, chromium] = await Promise.all([startDashboard(), launchBrowser()]);
      const { store } = stack;
      spoken = await submitOne(store, { body: { input: 'Name a river.' }, metadata: { customer: 'acme', run: '7' } });
      await end(store, spoken, { output: 'The Zambezi flows to the east.' });
      refused = await submitOne(store, { body: { input: 'Too much to ask.' }, metadata: { customer: 'other' } });
      await end(store, refused, { error: { code: 'context_length_exceeded', message: 'too long' } });
      hostile = await submitOne(store, {
        body: { input: `hostile ${PAYLOAD} \ud800 مرحبا` },
        model: PAYLOAD,
        metadata: { customer: PAYLOAD },
      });
      await end(store, hostile, { output: `hostile as well ${PAYLOAD}` });
      for (let i = 0; i < MANY; i++) await submitOne(store, { body: { input: `filler number${i}` }, queue: 'extract' });
      await eventually('all of it is in the index', async () => {
        const response = await fetch(`${stack.dashboard.url}/api/jobs?limit=1`);
        return ((await response.json()) as JobsView).index.jobs === MANY + 3;
      });
    });
    afterAll(async () => {
      await chromium?.close();
      await stack?.stop();
    });

    const rows = (page: Page) => page.locator('table.jobs tbody tr');
    const shows = async (page: Page, ...ids: string[]): Promise<void> => {
      await page.locator(`table.jobs a[href="/jobs/${ids[0]}"]`).waitFor();
      await eventually('there are as many rows', async () => (await rows(page).count()) === ids.length);
      expect(
        await rows(page)
          .locator('a.id')
          .evaluateAll((links) => links.map((link) => link.getAttribute('title'))),
      ).toEqual(ids);
    };

    it('a job is found by a word of its output, which is marked, and its address shows the same to another', async () => {
      let address = '';
      await withPage(chromium.browser, `${stack.dashboard.url}/jobs`, async (page) => {
        await page.getByLabel('Words of prompt or output').fill('zambezi');
        await page.keyboard.press('Enter');
        await shows(page, spoken);
        expect(await page.locator('mark').allTextContents()).toEqual(['Zambezi']);
        address = page.url();
      });
      expect(new URL(address).search).toBe('?text=zambezi');
      await withPage(chromium.browser, address, async (page) => {
        await shows(page, spoken);
        expect(await page.getByLabel('Words of prompt or output').inputValue()).toBe('zambezi');
      });
    });

    it('a job is found by its metadata, and by its error; going back shows what was looked for before', async () => {
      await withPage(chromium.browser, `${stack.dashboard.url}/jobs`, async (page) => {
        await page.getByText('More filters').click();
        await page.getByLabel('Metadata key 1').fill('customer');
        await page.getByLabel('Metadata value 1').fill('acme');
        await page.getByRole('button', { name: 'Find jobs' }).click();
        await shows(page, spoken);
        await page.getByRole('button', { name: 'Clear' }).click();
        await eventually('all are shown', async () => (await rows(page).count()) === 50);
        await page.getByText('More filters').click();
        await page.getByLabel('Error code').fill('context_length_exceeded');
        await page.getByLabel('Status').selectOption('failed');
        await page.getByRole('button', { name: 'Find jobs' }).click();
        await shows(page, refused);
        await page.goBack();
        await page.goBack();
        await shows(page, spoken);
        expect(await page.getByLabel('Metadata value 1').inputValue()).toBe('acme');
      });
    });

    it.each([
      ['of Redis', ''],
      ['of the index', '?text=filler'],
    ])('each job is shown once, page by page: a list %s', async (_whose, query) => {
      await withPage(chromium.browser, `${stack.dashboard.url}/jobs${query}`, async (page) => {
        const seen: string[] = [];
        for (;;) {
          const first = rows(page).first().locator('a.id');
          await first.waitFor();
          await eventually(
            'it is a page not seen before',
            async () => !seen.includes((await first.getAttribute('title')) ?? ''),
          );
          for (const id of await rows(page)
            .locator('a.id')
            .evaluateAll((all) => all.map((one) => one.getAttribute('title'))))
            seen.push(id ?? '');
          const older = page.getByRole('link', { name: 'Older' });
          if ((await older.count()) === 0) break;
          await older.click();
        }
        const all = query === '' ? MANY + 3 : MANY;
        expect(new Set(seen).size).toBe(all);
        expect(seen.length).toBe(all);
        await page.getByRole('link', { name: 'Newest' }).click();
        await eventually(
          'the newest are shown',
          async () => (await rows(page).first().locator('a.id').getAttribute('title')) === seen[0],
        );
      });
    });

    it('scripts in what users and models say do not run', async () => {
      await withPage(chromium.browser, `${stack.dashboard.url}/jobs?text=hostile`, async (page) => {
        await shows(page, hostile);
        const row = rows(page).first();
        expect(await row.textContent()).toContain('<img src=x onerror');
        expect(await row.locator('img, script').count()).toBe(0);
        expect(await page.evaluate(() => (globalThis as { ran?: number }).ran)).toBeUndefined();
      });
      const query = new URLSearchParams({ 'meta.customer': PAYLOAD });
      await withPage(chromium.browser, `${stack.dashboard.url}/jobs?${query}`, async (page) => {
        await shows(page, hostile);
        expect(await page.evaluate(() => (globalThis as { ran?: number }).ran)).toBeUndefined();
      });
    });

    it('a filter that cannot be understood is said to be so, by its name', async () => {
      await withPage(chromium.browser, `${stack.dashboard.url}/jobs?status=odd`, async (page) => {
        await page.getByRole('alert').getByText("'status' must be one of queued").waitFor();
      });
      for (const text of ['"a" NOT (', 'NEAR(', '"x', 'a:b', '^a -b']) {
        const response = await fetch(`${stack.dashboard.url}/api/jobs?${new URLSearchParams({ text })}`);
        expect(response.status, text).toBe(200);
      }
      await withPage(chromium.browser, `${stack.dashboard.url}/jobs?text=a*`, async (page) => {
        await page.getByRole('alert').getByText('give 2 letters or digits or more').waitFor();
      });
    });

    it('what came since a list was loaded is offered, not pushed in; the button that loads it leaves the focus at the list', async () => {
      await withPage(chromium.browser, stack.dashboard.url, async (page) => {
        // Counted from what the page was told of the queues.
        await page.locator('[data-figure="waiting:extract"]', { hasText: String(MANY) }).waitFor();
        await page.getByRole('link', { name: 'extract', exact: true }).click();
        await rows(page).nth(49).waitFor();
        const elsewhere = await submitOne(stack.store);
        const fresh = await submitOne(stack.store, { queue: 'extract', body: { input: 'the newest filler' } });
        const button = page.getByRole('button', { name: '1 new job: load again' });
        await button.waitFor();
        expect(await page.locator(`a[href="/jobs/${fresh}"]`).count()).toBe(0);
        await button.press('Enter');
        await rows(page).first().locator(`a[href="/jobs/${fresh}"]`).waitFor();
        await button.waitFor({ state: 'detached' });
        expect(await page.locator('.newer').evaluate((line) => line === line.ownerDocument.activeElement)).toBe(true);
        expect(await page.locator(`a[href="/jobs/${elsewhere}"]`).count()).toBe(0);
      });
    });

    it('what is in the index, for how long, and how far it is, is said', async () => {
      await withPage(chromium.browser, `${stack.dashboard.url}/jobs`, async (page) => {
        const told = page.getByRole('region', { name: 'The index' });
        await told.getByText(`${MANY + 5} jobs`).waitFor();
        expect(await told.textContent()).toContain('at most 30 days');
      });
    });
  },
);
