/** The overview in a real browser, beside a whole stack: its figures move, and what holds jobs up is said and mended. */
import { closeRedis, connectRedis } from '@millrace/queue';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { eventually } from '../harness/eventually.ts';
import { LEAST_CONTRAST } from '../harness/least-contrast.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';
import { finished, type Stack, startStack, submitJob } from '../harness/stack.ts';

const missing = browserMissing();
const VIEWER_KEY = 'viewer-secret-0123456789';

describe.skipIf(missing !== null)(
  `the overview in a browser${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let stack: Stack;
    let dashboard: RoleProcess;
    let chromium: LaunchedBrowser;
    let failed: string;
    let redis: ReturnType<typeof connectRedis>;
    beforeAll(async () => {
      [stack, chromium] = await Promise.all([
        startStack({
          config: {
            limits: {
              main: { requestsPerMinute: 60_000, tokensPerMinute: 6_000_000, inFlight: 50, models: ['sim-1'] },
            },
            queues: {
              generate: { model: 'sim-1', backoff: { baseSeconds: 0.05, maxSeconds: 0.1 } },
              extract: { model: 'sim-1' },
            },
          },
        }),
        launchBrowser(),
      ]);
      dashboard = await startRole('dashboard', stack.env);
      // Before anybody looks: causes are counted anew every five seconds only.
      failed = await submit('[[fault:400 x1]]');
      await finished(stack, failed);
      redis = connectRedis(stack.redis.url, 'patient', () => undefined);
    }, 120_000);
    afterAll(async () => {
      await chromium?.close();
      if (redis !== undefined) await closeRedis(redis);
      await dashboard?.stop();
      await stack?.stop();
    });

    const open = (look: (page: Page) => Promise<void>): Promise<void> =>
      withPage(chromium.browser, dashboard.url, async (page) => {
        page.setDefaultTimeout(8000);
        await page.locator('#live.live').waitFor();
        await page.locator('.stats').waitFor();
        await look(page);
      });
    const submit = (input: string): Promise<string> => submitJob(stack, { type: 'generate', request: { input } });
    const figure = async (page: Page, name: string): Promise<number> =>
      Number((await page.locator(`[data-figure="${name}"]`).textContent())?.replaceAll(',', ''));
    const stat = (page: Page, name: string): Promise<string | null> =>
      page.locator(`[data-stat="${name}"]`).textContent();
    const actions = async (): Promise<string[]> =>
      (await redis.xrange('mr:acts', '-', '+')).map(([, fields]) => fields.join(' '));

    it('figures, gauges and the hour’s lines move while jobs run, without a reload; the workers say their version', async () => {
      await open(async (page) => {
        await page.evaluate('window.loadedOnce = true');
        const before = await figure(page, 'completed:generate');
        await Promise.all(['one', 'two', 'three'].map(async (input) => finished(stack, await submit(input))));
        await eventually('the ends are counted', async () => (await figure(page, 'completed:generate')) === before + 3);
        await eventually('the throughput moves', async () => Number(await stat(page, 'Throughput')) >= 3);
        expect(await stat(page, 'Backlog')).toBe('0');
        expect(await stat(page, 'Workers')).toBe('1');
        await page.locator('.overview-workers').getByText('0.1.0').waitFor();
        await page.locator('.overview-limits tbody tr', { hasText: 'sim-1' }).getByText('of 6,000,000').waitFor();
        await page.getByRole('img', { name: /^Jobs ended a minute.*Latest: completed: [1-9]/ }).waitFor();
        await page.getByRole('img', { name: /^Tokens a minute.*sim-1.*limit: 6M/ }).waitFor();
        expect(await page.evaluate('window.loadedOnce')).toBe(true);
      });
    });

    it('what failed is told with its reason and by its cause, and leads to the job', async () => {
      await open(async (page) => {
        const causes = page.getByRole('table', { name: 'Causes of failures, last hour' });
        await causes.locator('tbody tr', { hasText: '100 %' }).waitFor();
        expect(await causes.getByRole('link').first().getAttribute('href')).toMatch(/^\/failures\/./);
        await page.getByRole('link', { name: `Job …${failed.slice(-8)}` }).click();
        await page.waitForURL(`${dashboard.url}/jobs/${failed}`);
      });
    });

    it('a queue is paused by its button, says so with a banner, and is resumed by the banner’s; both are noted', async () => {
      await open(async (page) => {
        await page.getByRole('button', { name: 'Pause the queue generate' }).click();
        await page.getByText('The queue ‘generate’ is paused.').waitFor();
        const id = await submit('Wait for it.');
        await page.locator('[data-figure="waits:generate"]').getByText("the queue 'generate' is paused").waitFor();
        expect(await page.locator('.stats').getByText("the queue 'generate' is paused").count()).toBe(1);
        await page.getByRole('button', { name: 'Resume the paused queue generate' }).click();
        await page.getByText('The queue ‘generate’ is paused.').waitFor({ state: 'detached' });
        expect((await finished(stack, id)).status).toBe('completed');
        const noted = await actions();
        for (const what of ['queue.pause', 'queue.resume']) {
          expect(noted.some((act) => act.includes(`who anybody role operator what ${what} target generate`))).toBe(
            true,
          );
        }
      });
    });

    it('a limit that is closed says why above all, on every page, and is opened by its button', async () => {
      const id = await submit('[[fault:quota x1]]');
      await withPage(chromium.browser, `${dashboard.url}/cost`, async (page) => {
        const banner = page.getByRole('alert').filter({ hasText: 'The limit ‘main’ is closed' });
        await banner.getByText('quota is used up (insufficient_quota)').waitFor();
        await banner.getByRole('button', { name: 'Open the limit main' }).click();
        await banner.waitFor({ state: 'detached' });
        expect((await finished(stack, id)).status).toBe('completed');
        expect((await actions()).some((act) => act.includes('what limit.resume target main'))).toBe(true);
      });
    });

    it('a viewer sees the same, and no button that it may press', async () => {
      const keys = { MILLRACE_API_KEYS: `eye:viewer:${VIEWER_KEY}` };
      const guarded = await startRole('dashboard', { ...stack.env, ...keys });
      const context = await chromium.browser.newContext();
      try {
        const page = await context.newPage();
        await page.request.post(`${guarded.url}/api/session`, { data: { key: VIEWER_KEY } });
        await page.goto(guarded.url);
        const pause = page.getByRole('button', { name: 'Pause the queue generate' });
        await pause.waitFor();
        expect(await pause.isDisabled()).toBe(true);
        expect(await pause.getAttribute('title')).toContain('viewer');
        expect(await page.locator('main button:enabled').count()).toBe(0);
      } finally {
        await context.close();
        await guarded.stop();
      }
    });

    it.each(['light', 'dark'] as const)(
      '%s: readable from 360 to 1600 px wide, with enough contrast',
      async (scheme) => {
        const context = await chromium.browser.newContext({ colorScheme: scheme });
        try {
          const page = await context.newPage();
          await page.goto(dashboard.url);
          await page.locator('.charts').waitFor();
          for (const width of [360, 860, 861, 1600]) {
            await page.setViewportSize({ width, height: 800 });
            const overflow = 'document.documentElement.scrollWidth - window.innerWidth';
            await eventually(`nothing overflows at ${width}`, async () => Number(await page.evaluate(overflow)) <= 0);
            expect(await page.evaluate(LEAST_CONTRAST), `at ${width}`).toMatchObject({ enough: true });
          }
        } finally {
          await context.close();
        }
      },
    );

    it('an upstream whose calls fail is named by its circuit breaker', async () => {
      stack.simulator.setFaults([{ kind: '502html', probability: 1 }]);
      await Promise.all(Array.from({ length: 40 }, () => submit('hm')));
      await open(async (page) => {
        await page.getByRole('alert').getByText('Calls to ‘simulator’ fail').waitFor();
        await page.locator('[data-figure="waits:generate"]').getByText("the circuit breaker of 'simulator'").waitFor();
      });
      stack.simulator.setFaults([]);
    });

    it('jobs that wait while no worker is alive are said to, and go on with the next worker', async () => {
      await stack.workers[0]?.stop();
      const id = await submit('Is there anybody?');
      await open(async (page) => {
        const banner = page.getByRole('alert').getByText('No worker is alive.');
        await banner.waitFor();
        expect(await stat(page, 'Workers')).toBe('0');
        await page.locator('[data-figure="waits:generate"]').getByText('no worker is alive').waitFor();
        await stack.addWorker();
        await banner.waitFor({ state: 'detached' });
        expect((await finished(stack, id, 60_000)).status).toBe('completed');
      });
    }, 90_000);
  },
);
