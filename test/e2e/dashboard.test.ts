/** What the dashboard shows, in a real Chromium, against its real process and a real Redis. */
import { closeLimit, resumeLimit, setPaused } from '@millrace/queue';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limitKeys } from '../../packages/queue/src/keys.ts';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { type DashboardStack, end, figure, live, startDashboard, submitOne } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';
import { LEAST_CONTRAST } from '../harness/least-contrast.ts';

const HOSTILE = `</pre>"'><script>window.hit=1</script><img src=x onerror="window.hit=1"><svg onload="window.hit=1">`;

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

  const open = (path: string, look: (page: Page) => Promise<void>, options: BrowserContextOptions = {}) =>
    withPage(launched.browser, `${stack.dashboard.url}${path}`, look, options);

  it('counts change without a reload, and a failure appears with its reason and leads to its job', async () => {
    await open('/', async (page) => {
      await live(page);
      await page.evaluate('window.loadedOnce = true');
      const before = Number(await figure(page, 'completed:generate'));
      const failedBefore = Number(await figure(page, 'failed:generate'));
      const done = await submitOne(stack.store);
      const failed = await submitOne(stack.store);
      await end(stack.store, done, { output: 'Good day.' });
      await end(stack.store, failed, { error: { code: 'context_length_exceeded', message: 'Too\nlong by far.' } });
      await eventually('the counts are shown', async () => {
        return (
          Number(await figure(page, 'completed:generate')) === before + 1 &&
          Number(await figure(page, 'failed:generate')) === failedBefore + 1
        );
      });
      const row = page.locator('.failures tbody tr').first();
      expect(await row.textContent()).toContain('context_length_exceeded');
      expect(await row.textContent()).toContain('Too long by far.');
      expect(await page.evaluate('window.loadedOnce')).toBe(true);
      await row.locator('a').click();
      expect(page.url()).toBe(`${stack.dashboard.url}/jobs/${failed}`);
      expect(await page.locator('h1').textContent()).toContain(failed);
      expect(await page.locator('.error').textContent()).toContain('Too\nlong by far.');
    });
  });

  it('a paused queue says so, live', async () => {
    await open('/', async (page) => {
      await live(page);
      await setPaused(stack.store, 'extract', true);
      try {
        await page.locator('[data-live="paused:extract"]', { hasText: 'paused' }).waitFor();
      } finally {
        await setPaused(stack.store, 'extract', false);
      }
      await eventually('it is no longer shown as paused', async () => (await figure(page, 'paused:extract')) === '');
    });
  });

  it.each(['light', 'dark'] as const)(
    '%s: a limit that is closed says so above all, live, with how to open it; its models say what is used and left',
    async (colorScheme) => {
      const { redis, config } = stack.store;
      const [limit = ''] = Object.keys(config.limits);
      const { groups, bucket, low } = limitKeys(limit, 'model-a');
      const now = Date.now();
      await redis.sadd(groups, 'model-a');
      const learned = { learned_requests: 3000, learned_tokens: 60_000, fullest_tokens: 1000 };
      await redis.hset(bucket, { at: now, known: 'headers', ...learned, told_tokens: 5, told_at: now });
      await redis.hset(low, 'tokens model-a', now);
      try {
        await open(
          '/',
          async (page) => {
            await live(page);
            const row = page.locator('.limits tbody tr', { hasText: 'model-a' });
            await row.locator('td', { hasText: 'of 60,000' }).getByText('low', { exact: true }).waitFor();
            expect(await row.textContent()).toContain('learned · 5 left');
            expect(await page.locator('[data-live="closed"]').textContent()).toBe('');
            await closeLimit(redis, limit, 'unauthorized');
            const notice = page.getByRole('alert');
            await notice.getByText(`/v1/limits/${limit}/resume`).waitFor();
            expect(await notice.textContent()).toContain('the upstream refuses the key');
            for (const width of [360, 1280]) {
              await page.setViewportSize({ width, height: 800 });
              expect(
                await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'),
              ).toBeLessThanOrEqual(0);
              expect(await page.evaluate(LEAST_CONTRAST)).toMatchObject({ enough: true });
            }
            await resumeLimit(redis, limit, ['model-a']);
            await notice.waitFor({ state: 'detached' });
          },
          { colorScheme },
        );
      } finally {
        await redis.del(bucket, groups, low);
      }
    },
  );

  it('a replaced row keeps the keyboard’s place', async () => {
    await end(stack.store, await submitOne(stack.store), { error: { code: 'first', message: 'First.' } });
    await open('/', async (page) => {
      await live(page);
      const link = page.locator('.failures tr', { hasText: 'First.' }).locator('a');
      const href = await link.getAttribute('href');
      await link.focus();
      await end(stack.store, await submitOne(stack.store), { error: { code: 'second', message: 'Second.' } });
      await page.locator('.failures tr', { hasText: 'Second.' }).waitFor();
      expect(await page.evaluate("document.activeElement?.getAttribute('href')")).toBe(href);
    });
  });

  it('the overview is complete without script', async () => {
    await end(stack.store, await submitOne(stack.store), { error: { code: 'plain', message: 'Seen without script.' } });
    await open(
      '/',
      async (page) => {
        // The figures of the last second are shared by the pages opened in it.
        await eventually('the failure is shown', async () => {
          await page.goto(stack.dashboard.url);
          return (await page.locator('main').textContent())?.includes('Seen without script.');
        });
        expect(Number(await figure(page, 'failed:generate'))).toBeGreaterThan(0);
      },
      { javaScriptEnabled: false },
    );
  });

  it('hostile prompts, outputs, errors and metadata run nothing: not on our pages, not in bull-board', async () => {
    const common = { metadata: { [HOSTILE.slice(0, 60)]: HOSTILE }, model: HOSTILE };
    const failed = await submitOne(stack.store, {
      ...common,
      body: { input: [{ role: 'user', content: HOSTILE }], [HOSTILE]: HOSTILE },
    });
    await end(stack.store, failed, { error: { code: HOSTILE, message: HOSTILE, details: { [HOSTILE]: HOSTILE } } });
    const done = await submitOne(stack.store, {
      ...common,
      queue: 'extract',
      type: 'extract',
      body: { document: HOSTILE, schema: { name: HOSTILE, schema: {} }, instructions: HOSTILE },
    });
    await end(stack.store, done, { output: HOSTILE, parsed: { [HOSTILE]: HOSTILE } });
    for (const path of [
      '/',
      `/jobs/${failed}`,
      `/jobs/${done}`,
      `/board/queue/generate/${failed}`,
      `/board/queue/extract/${done}`,
    ]) {
      await open(path, async (page) => {
        // Shown, as text: then whatever could have run has had its chance.
        await page.getByText('window.hit=1').first().waitFor();
        expect(await page.locator('script:text("window.hit"), [onerror], [onload]').count(), path).toBe(0);
        expect(await page.evaluate('window.hit'), path).toBeUndefined();
      });
    }
  });

  it('a long document is folded and cut, and its JSON is a link away', async () => {
    const id = await submitOne(stack.store, {
      queue: 'extract',
      type: 'extract',
      body: { document: `begin ${'many words '.repeat(200_000)} end`, schema: 'invoice' },
    });
    await open(`/jobs/${id}`, async (page) => {
      const document = page.locator('details', { hasText: 'Document' });
      expect(await document.locator('pre').isVisible()).toBe(false);
      await document.locator('summary').click();
      expect(await document.locator('pre').isVisible()).toBe(true);
      expect(await document.locator('.cut').textContent()).toContain('more characters are not shown');
      await document.locator('a').click();
      expect(page.url()).toBe(`${stack.dashboard.url}/jobs/${id}.json`);
    });
  });

  it('bull-board shows a job’s request and outcome, without a button that changes it, and leads to our page', async () => {
    const id = await submitOne(stack.store, { body: { input: 'What turns the wheel?' } });
    await end(stack.store, id, { output: 'The water does.' });
    const elsewhere: string[] = [];
    await open('/board/', async (page) => {
      page.on('response', (response) => {
        if (!response.url().startsWith(stack.dashboard.url)) elsewhere.push(response.url());
      });
      await page.goto(`${stack.dashboard.url}/board/queue/generate/${id}`);
      await page.getByText('What turns the wheel?').first().waitFor();
      await page.getByText('The water does.').first().waitFor();
      expect(await page.getByRole('button', { name: /retry|clean|promote|duplicate|remove|update/i }).count()).toBe(0);
      const link = page.getByRole('link', { name: 'Open in Millrace' });
      expect(await link.getAttribute('href')).toBe(`/jobs/${id}`);
      const [opened] = await Promise.all([
        page
          .context()
          .waitForEvent('page', { timeout: 5000 })
          .catch(() => page),
        link.click(),
      ]);
      await opened.locator('h1', { hasText: id }).waitFor();
      expect(opened.url()).toBe(`${stack.dashboard.url}/jobs/${id}`);
    });
    expect(elsewhere).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    '%s: readable from 360 to 1600 px wide, with enough contrast and a visible focus',
    async (colorScheme) => {
      const id = await submitOne(stack.store, {
        metadata: { customer: 'x'.repeat(200) },
        body: { instructions: 'Be brief.', input: `${'long-word-'.repeat(60)} and more` },
      });
      await end(stack.store, id, {
        error: { code: 'invalid_prompt', message: `Not like this: ${'very-'.repeat(50)}long.`, details: [1] },
      });
      for (const path of ['/', `/jobs/${id}`, '/nowhere']) {
        for (const width of [360, 860, 861, 1600]) {
          await open(
            path,
            async (page) => {
              const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
              expect(overflow, `${path} at ${width}`).toBeLessThanOrEqual(0);
              expect(await page.evaluate(LEAST_CONTRAST), `${path} at ${width}`).toMatchObject({ enough: true });
              await page.keyboard.press('Tab');
              expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
            },
            { colorScheme, viewport: { width, height: 800 } },
          );
        }
      }
    },
  );
});
