/** The page Cost in a real browser: what was spent and on what, and what nobody can know said so. */
import { finishByOutcome } from '@millrace/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { begin, COMPLETED, FAILED, queueOf } from '../../packages/queue/src/testing/stored.ts';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { type DashboardStack, startDashboard, submitOne } from '../harness/dashboard.ts';

const missing = browserMissing();
const HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';

const MILLION = {
  ...{ input_tokens: 1_000_000, input_tokens_details: { cached_tokens: 400_000 }, total_tokens: 1_100_000 },
  ...{ output_tokens: 100_000, output_tokens_details: { reasoning_tokens: 0 } },
};

describe.skipIf(missing !== null)(
  `the page Cost in a browser${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let stack: DashboardStack;
    let chromium: LaunchedBrowser;
    const spend = async (model: string, key: string | null, outcome: object = COMPLETED): Promise<void> => {
      const id = await submitOne(stack.store, { model, key });
      const { epoch } = await begin(stack.store, id);
      await finishByOutcome(stack.store, queueOf(stack.store), id, epoch, { ...outcome, usage: MILLION } as never);
    };
    beforeAll(async () => {
      [stack, chromium] = await Promise.all([startDashboard(), launchBrowser()]);
      await spend('gpt-5', 'ann');
      await spend('gpt-5', 'bob', FAILED);
      await spend(HOSTILE, null);
    });
    afterAll(async () => {
      await chromium?.close();
      await stack?.stop();
    });
    const cost = (query = ''): string => `${stack.dashboard.url}/cost${query}`;

    it('dollars stand by model, key and queue, the failed ones apart, and what has no price is unknown, not 0', async () => {
      await withPage(chromium.browser, cost(), async (page) => {
        const row = (section: string, name: string): Promise<string[]> =>
          page
            .getByRole('region', { name: section })
            .getByRole('row')
            .filter({ has: page.getByRole('rowheader', { name, exact: true }) })
            .getByRole('cell')
            .allInnerTexts();
        await page.getByRole('region', { name: 'By model' }).waitFor();
        // 0.6 M at $1.25, 0.4 M at $0.125, 0.1 M at $10: twice, one of them for a failure.
        expect((await row('By model', 'gpt-5')).slice(0, 3)).toEqual(['$3.60', '$1.80', '$0.90']);
        expect((await row('By model', HOSTILE)).slice(0, 3)).toEqual(['unknown', '$0', 'unknown']);
        expect((await row('By model', HOSTILE))[4]).toContain('1,000,000');
        expect((await row('By API key', 'ann'))[0]).toBe('$1.80');
        expect((await row('By API key', 'no key'))[0]).toBe('unknown');
        expect((await row('By queue', 'generate'))[0]).toBe('at least $3.60');
        expect(await page.locator('.facts').textContent()).toContain('at least $3.60');
        expect(await page.locator('#unknown').textContent()).toContain('1,100,000 tokens of models without a price');
        expect(await page.evaluate('window.ran')).toBeUndefined();
      });
    });

    it('the table of prices says of when it is, where it can be overridden, and what each model’s price is', async () => {
      await withPage(chromium.browser, cost(), async (page) => {
        const prices = page.getByRole('region', { name: 'Prices' });
        await prices.waitFor();
        expect(await prices.locator('#price-date').textContent()).toMatch(/^\d{4}-\d{2}$/);
        expect(await prices.textContent()).toContain('millrace.config');
        const texts = await prices.getByRole('row').filter({ hasText: 'gpt-5' }).getByRole('cell').allInnerTexts();
        expect(texts).toEqual(['$1.25', '$0.125', '$10.00', 'list price']);
        expect(await prices.getByRole('row').filter({ hasText: 'img' }).textContent()).toContain('no price');
      });
    });

    it('what is spent while one looks is shown without a reload, and the span can be switched by keyboard', async () => {
      await withPage(chromium.browser, cost('?days=30'), async (page) => {
        const pressed = page.locator('.spans button[aria-pressed="true"]');
        await page.locator('.chart canvas').waitFor();
        expect(await pressed.textContent()).toBe('30 days');
        await page.getByText('Every day').click();
        expect(await page.getByRole('region', { name: 'By day' }).getByRole('row').count()).toBe(31);
        await page.getByRole('button', { name: 'Today' }).focus();
        await page.keyboard.press('Enter');
        await page.locator('.chart').waitFor({ state: 'detached' });
        expect([await pressed.textContent(), new URL(page.url()).search]).toEqual(['Today', '?days=1']);

        const keys = page.getByRole('region', { name: 'By API key' });
        await keys.getByRole('rowheader', { name: 'no key', exact: true }).waitFor();
        await spend('gpt-5', 'carol');
        await keys.getByRole('rowheader', { name: 'carol', exact: true }).waitFor();
      });
    });

    it('nothing is wider than a phone, whatever a model is called', async () => {
      await spend('m'.repeat(190), 'ann');
      const options = { viewport: { width: 360, height: 700 } };
      await withPage(
        chromium.browser,
        cost(),
        async (page) => {
          await page.getByRole('rowheader', { name: 'mmm' }).first().waitFor();
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
        },
        options,
      );
    });

    it('a span that is none is refused with what it may be', async () => {
      for (const days of ['0', '91', '-1', 'week', '1e1', '']) {
        const response = await fetch(`${stack.dashboard.url}/api/cost?days=${days}`);
        expect(response.status, days).toBe(400);
        expect(await response.json()).toMatchObject({
          error: { param: 'days', message: expect.stringContaining('90') },
        });
      }
      expect((await fetch(`${stack.dashboard.url}/api/live?topics=cost:5`)).status).toBe(400);
    });
  },
);
