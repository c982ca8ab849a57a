/** What the dashboard says while its Redis, or the dashboard itself, is away; and that an open page recovers. */
import { queueTag } from '@millrace/core';
import { freePort } from '@millrace/queue/local-redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { type DashboardStack, figure, live, startDashboard } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { startRole } from '../harness/processes.ts';
import { freshRedis, type TestRedis } from '../harness/redis.ts';

const missing = browserMissing();

describe.skipIf(missing !== null)(`in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: DashboardStack;
  let launched: LaunchedBrowser;
  beforeAll(async () => {
    stack = await startDashboard();
    launched = await launchBrowser();
  }, 180_000);
  afterAll(async () => {
    await launched?.close();
    await stack?.stop();
  });

  it('a Redis that falls silent is told, what needs it answers 503, and the page recovers without a reload', async () => {
    const { url } = stack.dashboard;
    await withPage(launched.browser, url, async (page) => {
      await live(page);
      await page.evaluate('window.loadedOnce = true');
      process.kill(stack.redis.pid, 'SIGSTOP');
      try {
        await page.getByText('Redis cannot be reached.').waitFor();
        const someId = `resp_${queueTag('generate')}${'0'.repeat(40)}`;
        for (const path of ['/readyz', '/board/api/queues', `/jobs/${someId}`, `/jobs/${someId}.json`]) {
          expect((await call('GET', `${url}${path}`)).status, path).toBe(503);
        }
        for (const path of ['/healthz', '/', '/board/']) {
          expect((await call('GET', `${url}${path}`)).status, path).toBe(200);
        }
      } finally {
        process.kill(stack.redis.pid, 'SIGCONT');
      }
      await page.getByText('on disk before it is acknowledged').waitFor();
      expect(await page.evaluate('window.loadedOnce')).toBe(true);
    });
  });

  it('a dashboard started before its Redis says so, and shows the figures once Redis is there', async () => {
    const port = await freePort();
    const early = await startRole('dashboard', { ...stack.env, REDIS_URL: `redis://127.0.0.1:${port}` });
    let late: TestRedis | undefined;
    try {
      expect((await call('GET', `${early.url}/healthz`)).status).toBe(200);
      expect((await call('GET', `${early.url}/readyz`)).status).toBe(503);
      await withPage(launched.browser, early.url, async (page) => {
        await page.getByText('Nothing could be read yet.').waitFor();
        expect(await figure(page, 'waiting:generate')).toBe('–');
        late = await freshRedis({ port });
        await eventually('the figures are shown', async () => (await figure(page, 'waiting:generate')) === '0');
      });
    } finally {
      await early.stop();
      await late?.dispose();
    }
  });

  it('a dashboard that goes away is told, and the page is live again once it is back', async () => {
    const first = await startRole('dashboard', stack.env);
    await withPage(launched.browser, first.url, async (page) => {
      await live(page);
      expect(await first.stop()).toBe(0);
      await page.locator('#live.lost', { hasText: 'figures as of' }).waitFor();
      const second = await startRole('dashboard', { ...stack.env, MILLRACE_DASHBOARD_PORT: new URL(first.url).port });
      try {
        await live(page);
      } finally {
        await page.close();
        await second.stop();
      }
    });
  });
});
