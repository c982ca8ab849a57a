/** Failures in the dashboard: seen by their cause, tried on five, mended for all, stopped half-way, discarded. */
import { createLog, loadConfig, readEnvironment } from '@millrace/core';
import { openStore, type Store, setPaused } from '@millrace/queue';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { end, submitOne } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';
import { finished, type Stack, startStack, submitJob } from '../harness/stack.ts';

const missing = browserMissing();
const OPERATOR = 'operator-secret';
const VIEWER = 'viewer-secret';
const REFUSED = 12;
const UNPROCESSABLE = 4;
const MANY = 1200;
const MOST_WAITING = 1000;
const PAYLOAD = `<img src=x onerror="window.ran=1"><script>window.ran=1</script>`;

describe.skipIf(missing !== null)(`failures in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: Stack;
  let store: Store;
  let dashboard: RoleProcess;
  let chromium: LaunchedBrowser;
  beforeAll(async () => {
    [stack, chromium] = await Promise.all([
      startStack({
        config: {
          prices: { 'sim-1': { input: 1, output: 4 } },
          queues: {
            generate: { model: 'sim-1', attempts: 1, maxWaiting: MOST_WAITING },
            extract: { model: 'sim-1', attempts: 1 },
          },
        },
      }),
      launchBrowser(),
    ]);
    const keys = `ops:operator:${OPERATOR},eve:viewer:${VIEWER}`;
    const env = { ...stack.env, MILLRACE_DATA: stack.folder };
    dashboard = await startRole('dashboard', { ...env, MILLRACE_API_KEYS: keys });
    store = await openStore({
      redisUrl: stack.redis.url,
      config: await loadConfig(readEnvironment(env)),
      log: createLog('test', 'silent'),
      kind: 'patient',
    });
    const asked = [
      ...Array.from({ length: REFUSED }, (_, n) => `[[fault:400]] question ${n}`),
      ...Array.from({ length: UNPROCESSABLE }, (_, n) => `[[fault:422]] question ${n}`),
    ];
    const ids = await Promise.all(asked.map((input) => submitJob(stack, { type: 'generate', request: { input } })));
    for (const id of ids) expect((await finished(stack, id)).status).toBe('failed');
  });
  afterAll(async () => {
    await chromium?.close();
    await dashboard?.stop();
    await store?.close();
    await stack?.stop();
  });

  const signedIn = async (secret: string, path: string, look: (page: Page) => Promise<void>): Promise<void> => {
    await withPage(chromium.browser, dashboard.url, async (page) => {
      await page.getByLabel('API key').fill(secret);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.locator('#live.live').waitFor();
      await page.goto(`${dashboard.url}${path}`);
      await look(page);
    });
  };
  const rows = (page: Page) => page.locator('table.cohorts tbody tr');
  const openCohort = async (page: Page, words: string): Promise<void> => {
    await rows(page).filter({ hasText: words }).locator('a').first().click();
    await page.getByRole('heading', { name: 'The newest' }).waitFor();
  };
  const status = (page: Page, text: string) => page.locator('h1 .badge', { hasText: text }).waitFor();
  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
  /** Failed jobs of one cause that no worker was ever given. */
  const failMany = async (count: number, message: string): Promise<string[]> => {
    await setPaused(store, 'generate', true);
    const ids: string[] = [];
    for (let from = 0; from < count; from += 200) {
      const size = Math.min(200, count - from);
      const part = await Promise.all(Array.from({ length: size }, () => submitOne(store)));
      await Promise.all(part.map((id) => end(store, id, { error: { code: 'made_up', message } })));
      ids.push(...part);
    }
    await setPaused(store, 'generate', false);
    return ids;
  };

  it('failed jobs are grouped by their cause, with counts, shares and an example', async () => {
    await signedIn(OPERATOR, '/failures', async (page) => {
      await page
        .getByText(
          `${REFUSED + UNPROCESSABLE} jobs failed, of 2 causes: 100 % of the ${REFUSED + UNPROCESSABLE} that ended.`,
        )
        .waitFor();
      const [first, second] = [rows(page).nth(0), rows(page).nth(1)];
      expect(await first.locator('[data-label=Jobs]').textContent()).toBe(String(REFUSED));
      expect(await second.locator('[data-label=Jobs]').textContent()).toBe(String(UNPROCESSABLE));
      expect(await first.locator('[data-label=Share]').textContent()).toContain('75 %');
      expect(await first.locator('.example a').getAttribute('href')).toMatch(/^\/jobs\/resp_/);
      await page.getByLabel('Queue').selectOption('extract');
      await page.getByText('No job failed in this span.').waitFor();
    });
  });

  it('five are retried, and the page shows what became of them; mended by an edit, all the others are completed, none twice', async () => {
    await signedIn(OPERATOR, '/failures', async (page) => {
      await openCohort(page, 'invalid_value bad request');
      await button(page, 'Retry five and look').click();
      await status(page, 'completed');
      await page.locator('table.first-made .badge.bad').nth(4).waitFor();
      expect(await page.locator('table.first-made tbody tr').count()).toBe(5);

      await page.goBack();
      await page.getByText('Edit for all').click();
      await page.getByLabel('Replace in the prompt').fill('what no job says');
      await button(page, 'Preview the cost').click();
      await page.getByText("'replace.find' is in no text of the job").waitFor();
      await page.getByLabel('Replace in the prompt').fill('[[fault:400]]');
      await button(page, 'Preview the cost').click();
      // Twelve, and the five that came of five of them.
      await page.getByText('5 retried since').waitFor();
      await page.getByText('5 of them were retried already').waitFor();
      await page.getByText('12 jobs, expected cost').waitFor();
      await button(page, 'Retry all 12').click();
      await button(page, 'Retry 12 jobs').click();
      await status(page, 'completed');
      await page.getByText('12 of 12 done: 12 new jobs made').waitFor();
      await page.locator('table.first-made .badge.good').nth(11).waitFor();
      await page.goBack();
      await page.getByText('All of them were retried already').waitFor();
      expect(await button(page, 'Retry all 0').isDisabled()).toBe(true);
    });
    const made = await store.redis.zcard('{mr:generate}:status:completed');
    expect(made).toBe(12);
  });

  it('a full queue is waited for; stopped then, what was done stays; resumed, exactly one new job of each is made', async () => {
    await failMany(MANY, 'it does not work');
    const count = (status: string): Promise<number> => store.redis.zcard(`{mr:generate}:status:${status}`);
    const before = await count('completed');
    await setPaused(store, 'generate', true);
    await signedIn(OPERATOR, '/failures', async (page) => {
      await rows(page).filter({ hasText: 'it does not work' }).filter({ hasText: '1,200' }).waitFor();
      await openCohort(page, 'it does not work');
      await button(page, 'Retry all 1,200').click();
      await button(page, 'Retry 1,200 jobs').click();
      await page.getByText("It waits. The queue 'generate' is full").waitFor();
      await button(page, 'Stop').click();
      await status(page, 'stopped');
      await page.getByText('1,000 of 1,200 done').waitFor();
      await setPaused(store, 'generate', false);
      await eventually('what was made is done', async () => (await count('completed')) - before === MOST_WAITING);
      expect(await count('queued')).toBe(0);
      // The banner of the paused queue, which has one too, may still stand.
      await page.getByRole('button', { name: 'Resume', exact: true }).click();
      await status(page, 'completed');
      await eventually('all are done', async () => (await count('completed')) - before === MANY);
    });
  }, 60_000);

  it('discarded jobs are gone, once that was confirmed by their number', async () => {
    const ids = await failMany(30, 'nobody needs it');
    await signedIn(OPERATOR, '/failures', async (page) => {
      await openCohort(page, 'nobody needs it');
      const asking = page.getByText('30 failed jobs will be forgotten');
      await button(page, 'Discard all 30…').press('Enter');
      await asking.waitFor();
      // By keyboard: Escape is No, and leads back to the button.
      await page.locator('button:focus', { hasText: 'Cancel' }).waitFor();
      await page.keyboard.press('Escape');
      await asking.waitFor({ state: 'detached' });
      await page.locator('button:focus', { hasText: 'Discard all 30…' }).press('Enter');
      await button(page, 'Discard 30 jobs').click();
      await status(page, 'completed');
      await page.getByText('30 of 30 done: 30 discarded').waitFor();
      await page.goto(`${dashboard.url}/failures`);
      await rows(page).filter({ hasText: 'invalid_value bad request' }).waitFor();
      await rows(page).filter({ hasText: 'nobody needs it' }).waitFor({ state: 'detached' });
      await page.locator('table.actions').getByText('Discard').first().waitFor();
    });
    expect(await store.redis.exists(...ids.map((id) => `{mr:generate}:job:${id}`))).toBe(0);
  });

  it('what an error says is shown and never run', async () => {
    await failMany(3, PAYLOAD);
    await signedIn(OPERATOR, '/failures', async (page) => {
      await openCohort(page, 'img src');
      await page.getByText(PAYLOAD).first().waitFor();
      await button(page, 'Retry 3 and look').click();
      await status(page, 'completed');
      expect(await page.evaluate('window.ran')).toBeUndefined();
    });
  });

  it('a viewer may look, not change', async () => {
    await signedIn(VIEWER, '/failures', async (page) => {
      await openCohort(page, 'invalid_value bad request');
      for (const name of ['Retry five and look', /^Retry all/, 'Preview the cost', /^Discard all/]) {
        expect(await button(page, name).isDisabled()).toBe(true);
      }
    });
    const reply = await fetch(`${dashboard.url}/api/actions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${VIEWER}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'discard', cause: '0'.repeat(16) }),
    });
    expect(reply.status).toBe(403);
  });
});
