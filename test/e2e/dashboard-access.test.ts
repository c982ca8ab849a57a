/** Signing in as people do it, in a real browser: to where one came from, out again, and what a viewer does not get. */
import { noteAct } from '@millrace/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { type DashboardStack, end, startDashboard, submitOne } from '../harness/dashboard.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';

const missing = browserMissing();

describe.skipIf(missing !== null)(`in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: DashboardStack;
  let locked: RoleProcess;
  let chromium: LaunchedBrowser;
  beforeAll(async () => {
    [stack, chromium] = await Promise.all([startDashboard(), launchBrowser()]);
    locked = await startRole('dashboard', {
      ...stack.env,
      MILLRACE_API_KEYS: 'ops:operator:op-secret,eyes:viewer:see',
    });
  }, 120_000);
  afterAll(async () => {
    await chromium?.close();
    await locked?.stop();
    await stack?.stop();
  });

  it('a wrong key is told, the right one opens the page that was asked for, and signing out closes it', async () => {
    await withPage(chromium.browser, `${locked.url}/audit`, async (page) => {
      const key = page.getByLabel('API key');
      await key.fill('wrong');
      await key.press('Enter');
      await page.getByRole('alert').getByText('The key is not known here.').waitFor();
      await key.fill('op-secret');
      await key.press('Enter');
      await page.getByRole('heading', { name: 'Audit' }).waitFor();
      expect(await page.evaluate('document.cookie')).toBe('');
      await page.locator('.acts tr', { hasText: 'session.sign_in' }).first().waitFor();
      const [cookie] = await page.context().cookies();
      const copy = { headers: { cookie: `${cookie?.name}=${cookie?.value}` } };
      expect((await fetch(`${locked.url}/api/session`, copy)).status).toBe(200);
      const stream = await fetch(`${locked.url}/api/live?topics=overview`, copy);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await key.waitFor();
      // A copy of the cookie is worth nothing any more, and what was opened with it ends.
      expect((await fetch(`${locked.url}/api/session`, copy)).status).toBe(401);
      await stream.text();
      await page.goto(`${locked.url}/audit`);
      await key.waitFor();
    });
  });

  it('bull-board sends one to sign in, and is there afterwards; nobody is sent to another site', async () => {
    await withPage(chromium.browser, `${locked.url}/board/queue/generate`, async (page) => {
      const key = page.getByLabel('API key');
      await key.fill('see');
      await key.press('Enter');
      await page.waitForURL(`${locked.url}/board/queue/generate**`);
      await page.getByText('Millrace queues').first().waitFor();
    });
    for (const back of ['https://evil.example/', '//evil.example/', '/\\evil.example/', 'javascript:window.hit=1']) {
      await withPage(chromium.browser, `${locked.url}/?back=${encodeURIComponent(back)}`, async (page) => {
        await page.getByLabel('API key').fill('see');
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('heading', { name: 'Overview' }).waitFor();
        expect(new URL(page.url()).origin, back).toBe(locked.url);
      });
    }
  });

  it('a viewer reads a job, and finds its buttons disabled with the reason', async () => {
    const waits = await submitOne(stack.store, { body: { input: 'to be seen' } });
    const done = await submitOne(stack.store);
    await end(stack.store, done, { output: 'an answer' });
    await withPage(chromium.browser, `${locked.url}/jobs/${waits}`, async (page) => {
      await page.getByLabel('API key').fill('see');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.locator('.chat', { hasText: 'to be seen' }).waitFor();
      const disabled = async (name: string): Promise<void> => {
        const button = page.getByRole('button', { name, exact: true });
        await button.waitFor();
        expect(await button.isDisabled(), name).toBe(true);
        expect(await button.getAttribute('title'), name).toContain('viewer');
      };
      await disabled('Cancel');
      await page.goto(`${locked.url}/jobs/${done}`);
      await disabled('Retry');
      await disabled('Edit and retry');
    });
  });

  it('a viewer is told that the audit list is for operators; an operator finds in it what was done, and who by', async () => {
    const act = { role: 'operator', what: 'queue.pause', target: 'generate', detail: 'while we look' } as const;
    await noteAct(stack.store, { who: 'ann', ...act });
    for (let i = 0; i < 120; i++)
      await noteAct(stack.store, { who: 'bob', ...act, what: 'job.cancel', target: `j${i}` });
    for (const [secret, role] of [
      ['see', 'viewer'],
      ['op-secret', 'operator'],
    ] as const) {
      await withPage(chromium.browser, `${locked.url}/audit`, async (page) => {
        await page.getByLabel('API key').fill(secret);
        await page.getByRole('button', { name: 'Sign in' }).click();
        if (role === 'viewer') {
          await page.getByText('You are signed in as a viewer.').waitFor();
          return;
        }
        await page.locator('.acts tr', { hasText: 'j119' }).waitFor();
        await page.getByRole('link', { name: 'Older' }).click();
        await page.locator('.acts tr', { hasText: 'while we look' }).first().waitFor();
        await page.getByRole('link', { name: 'Newest' }).click();
        await page.getByLabel('Who').fill('ann');
        await page.getByRole('button', { name: 'Filter' }).click();
        const row = page.locator('.acts tbody tr');
        await row.filter({ hasText: 'queue.pause' }).waitFor();
        expect(await row.count()).toBe(1);
        expect(await row.getByRole('link', { name: 'generate' }).getAttribute('href')).toBe('/');
      });
    }
  });
});
