/** The pages of batches in a real Chromium, while a whole stack works: seen moving, with files, cancelled by the button. */
import { readFile } from 'node:fs/promises';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { LEAST_CONTRAST } from '../harness/least-contrast.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const HOSTILE = `</pre>"'><script>window.hit=1</script><img src=x onerror="window.hit=1">`;
const missing = browserMissing();

interface BatchView {
  id: string;
  status: string;
  output_file_id: string | null;
  error_file_id: string | null;
}

describe.skipIf(missing !== null)(`batches in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: Stack;
  let dashboard: RoleProcess;
  let chromium: LaunchedBrowser;
  beforeAll(async () => {
    const queue = { model: 'sim-1', attempts: 1, concurrency: 4 };
    [stack, chromium] = await Promise.all([
      startStack({
        config: {
          queues: { generate: queue, extract: { model: 'sim-1' } },
          prices: { 'sim-1': { input: 1000, output: 1000 } },
        },
      }),
      launchBrowser(),
    ]);
    dashboard = await startRole('dashboard', stack.env);
  }, 180_000);
  afterAll(async () => {
    await chromium?.close();
    await dashboard?.stop();
    await stack?.stop();
  });

  const open = (path: string, look: (page: Page) => Promise<void>, options: BrowserContextOptions = {}) =>
    withPage(chromium.browser, `${dashboard.url}${path}`, look, options);
  const line = (id: string, input: string, more: object = {}) => ({
    ...{ custom_id: id, method: 'POST', url: '/v1/responses' },
    body: { input, ...more },
  });
  async function create(lines: readonly object[]): Promise<string> {
    const form = new FormData();
    form.append('purpose', 'batch');
    form.append('file', new Blob([lines.map((one) => `${JSON.stringify(one)}\n`).join('')]), 'in.jsonl');
    const file = await fetch(`${stack.api.url}/v1/files`, { method: 'POST', body: form, headers: AUTHORIZED });
    const { id } = (await file.json()) as { id: string };
    const batch = { input_file_id: id, endpoint: '/v1/responses', completion_window: '24h' };
    const reply = await call<BatchView>('POST', `${stack.api.url}/v1/batches`, batch);
    expect(reply.status, reply.text).toBe(200);
    return reply.body.id;
  }
  const read = async (id: string) => (await call<BatchView>('GET', `${stack.api.url}/v1/batches/${id}`)).body;
  const ended = (id: string) =>
    eventually(`batch ${id} has ended`, async () => {
      const batch = await read(id);
      return ['completed', 'failed', 'cancelled'].includes(batch.status) && batch;
    });
  const content = async (fileId: string | null): Promise<string> =>
    (await fetch(`${stack.api.url}/v1/files/${fileId}/content`, { headers: AUTHORIZED })).text();
  const badge = (page: Page, status: string) => page.locator('h1 .badge', { hasText: status });

  it('a batch is seen moving to its end, with pace and cost, and its files are those of the API', async () => {
    const lines = Array.from({ length: 24 }, (_, n) => line(`r-${n}`, `[[slow:400]] question ${n}`));
    await open('/batches', async (list) => {
      await list.locator('#live.live').waitFor();
      const id = await create([...lines, line('refused', '[[fault:400]] no')]);
      const row = list.locator('.batches tbody tr', { hasText: id.slice(-12) });
      await row.getByText('in progress').waitFor();
      await open(`/batches/${id}`, async (page) => {
        await page.evaluate('window.loadedOnce = true');
        await page.locator('#progress', { hasText: /^[1-9]\d? of 25 completed.* open/ }).waitFor();
        await page.locator('#rate', { hasText: 'a minute' }).waitFor();
        await page
          .locator('.facts', { hasText: 'Will be done' })
          .locator('time', { hasText: /^in \d/ })
          .first()
          .waitFor();
        await page.locator('#expected', { hasText: 'about $' }).waitFor();
        await badge(page, 'completed').waitFor();
        expect(await page.locator('#progress').textContent()).toBe('24 of 25 completed · 1 failed');
        expect(await page.locator('#cost').textContent()).toMatch(/^\$\d/);
        const refused = page.locator('.code', { hasText: 'refused' });
        await refused.getByText('All of them').waitFor();
        expect(await refused.getByText('All of them').getAttribute('href')).toMatch(
          new RegExp(`^/jobs\\?batch=${id}&status=failed&code=\\w+$`),
        );
        expect(await refused.locator('li a').getAttribute('href')).toMatch(/^\/jobs\/resp_/);
        expect(await page.evaluate('window.loadedOnce')).toBe(true);
        const { output_file_id: output, error_file_id: errors } = await read(id);
        for (const [name, fileId] of [
          ['Output file', output],
          ['Errors file', errors],
        ] as const) {
          const [download] = await Promise.all([page.waitForEvent('download'), page.getByText(name).click()]);
          expect(download.suggestedFilename()).toMatch(/\.jsonl$/);
          expect(await readFile(await download.path(), 'utf8')).toBe(await content(fileId));
        }
        const { headers } = await fetch(`${dashboard.url}/api/batches/${id}/output`);
        expect(headers.get('content-type')).toContain('application/jsonl');
        expect(headers.get('content-disposition')).toMatch(/^attachment/);
        expect(headers.get('x-content-type-options')).toBe('nosniff');
      });
      await row.getByText('24 of 25').waitFor();
    });
  }, 60_000);

  it('an operator cancels a batch by the button; a viewer cannot, by the page or beside it', async () => {
    const keys = { MILLRACE_API_KEYS: 'ann:operator:s-operator,vic:viewer:s-viewer' };
    const guarded = await startRole('dashboard', { ...stack.env, ...keys });
    try {
      const id = await create(Array.from({ length: 6 }, (_, n) => line(`c-${n}`, '[[slow:60000]] wait')));
      const as = (secret: string, look: (page: Page) => Promise<void>) =>
        withPage(chromium.browser, `${guarded.url}/batches/${id}`, async (page) => {
          await page.getByLabel('API key').fill(secret);
          await page.getByText('Sign in', { exact: true }).click();
          await look(page);
        });
      await as('s-viewer', async (page) => {
        const button = page.getByText('Cancel the batch');
        await button.waitFor();
        expect(await button.isDisabled()).toBe(true);
        const status = await page.evaluate(`(async () => {
          const { csrf } = await (await fetch('/api/session')).json();
          return (await fetch('/api/batches/${id}/cancel', { method: 'POST', headers: { 'x-csrf-token': csrf } })).status;
        })()`);
        expect(status).toBe(403);
      });
      expect((await read(id)).status).not.toContain('cancel');
      await as('s-operator', async (page) => {
        await badge(page, 'in progress').waitFor();
        await page.getByText('Cancel the batch').click();
        await page.getByText('Yes, cancel the batch').click();
        await badge(page, 'cancelled').waitFor();
        await page.locator('.code', { hasText: 'cancelled' }).waitFor();
        expect(await page.getByText('Cancel the batch').count()).toBe(0);
      });
    } finally {
      await guarded.stop();
    }
  }, 60_000);

  it('faulty lines are told with their numbers, files that are gone in words, and no payload runs', async () => {
    const faulty = await create([line('ok', 'x'), line(HOSTILE, 'x', { [HOSTILE]: 1 })]);
    await ended(faulty);
    await open(`/batches/${faulty}`, async (page) => {
      const row = page.locator('.lines tbody tr');
      await row.waitFor();
      expect(await row.locator('th').textContent()).toBe('2');
      await quiet(page);
    });
    const id = await create([line(HOSTILE, `[[fault:failed code=invalid_prompt]] ${HOSTILE}`)]);
    await ended(id);
    await open(`/batches/${id}`, async (page) => {
      await page.getByText('window.hit=1').first().waitFor();
      await quiet(page);
    });
    const { error_file_id: errors } = await read(id);
    await call('DELETE', `${stack.api.url}/v1/files/${errors}`);
    const gone = await fetch(`${dashboard.url}/api/batches/${id}/errors`);
    expect([gone.status, await gone.text()]).toEqual([404, expect.stringContaining('deleted')]);
    const elsewhere = await call('GET', `${dashboard.url}/api/batches/batch_${'0'.repeat(40)}/output`);
    expect(elsewhere.status).toBe(404);
    await open('/batches/nonsense', async (page) => {
      await page.getByRole('alert').getByText('No batch found').waitFor();
    });
  });

  it.each(['light', 'dark'] as const)(
    '%s: readable from 360 px up, with enough contrast',
    async (colorScheme) => {
      const id = await create([line('x'.repeat(64), '[[fault:400]] y'), line('b', 'z')]);
      await ended(id);
      for (const path of ['/batches', `/batches/${id}`]) {
        for (const width of [360, 861, 1280]) {
          const look = async (page: Page): Promise<void> => {
            await page.getByText('1 failed').first().waitFor();
            const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
            expect(overflow, `${path} at ${width}`).toBeLessThanOrEqual(0);
            expect(await page.evaluate(LEAST_CONTRAST), `${path} at ${width}`).toMatchObject({ enough: true });
            const shots = process.env.SHOTS;
            if (shots !== undefined) {
              const name = `${path.startsWith('/batches/') ? 'batch' : 'batches'}-${colorScheme}-${width}`;
              await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
            }
          };
          await open(path, look, { colorScheme, viewport: { width, height: 800 } });
        }
      }
    },
    60_000,
  );
});

const AUTHORIZED = { authorization: 'Bearer any' };

async function quiet(page: Page): Promise<void> {
  expect(await page.locator('script:text("window.hit"), [onerror]').count()).toBe(0);
  expect(await page.evaluate('window.hit')).toBeUndefined();
}
