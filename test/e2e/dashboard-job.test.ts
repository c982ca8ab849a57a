/** A job's page in a real browser, beside a whole stack: what it shows as it happens, what it does, and what it bears. */
import { createLog, loadConfig, parseFlow, readEnvironment } from '@millrace/core';
import {
  beginAttempt,
  createBatch,
  createFlow,
  openStore,
  queueOfJob,
  readFlow,
  readJob,
  removeJob,
  type Store,
  type StoreQueue,
  setPaused,
  stepJobs,
  type Turn,
  writeTurn,
} from '@millrace/queue';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { end, submitOne } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const missing = browserMissing();
/** Some three seconds at the simulator's pace. */
const LONG = Array.from({ length: 60 }, (_, place) => `word${place}`).join(' ');
const LARGE = `beginning ${'x'.repeat(5_000_000)}`;
const PAYLOAD = `<script>window.ran=1</script><img src=x onerror="window.ran=1"> [link](javascript:window.ran=1) ![i](http://127.0.0.1:9/i.png) <iframe srcdoc="<script>parent.ran=1</script>"></iframe> <svg onload="window.ran=1">`;
const INVOICE = {
  type: 'object',
  properties: { total: { type: 'number' }, lines: { type: 'array', items: { type: 'string' } } },
  required: ['total', 'lines'],
  additionalProperties: false,
};

describe.skipIf(missing !== null)(`a job’s page${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: Stack;
  let dashboard: RoleProcess;
  let store: Store;
  let chromium: LaunchedBrowser;
  beforeAll(async () => {
    [stack, chromium] = await Promise.all([
      startStack({
        simulator: { tokensPerSecond: 40 },
        config: {
          limits: { one: { inFlight: 1 } },
          queues: {
            generate: { model: 'sim-1', limit: 'one', backoff: { baseSeconds: 0.1, maxSeconds: 0.1 } },
            extract: { model: 'sim-1' },
            // Nothing of it is taken: its jobs go where a test moves them.
            shelf: { model: 'sim-1' },
          },
        },
      }),
      launchBrowser(),
    ]);
    store = await openStore({
      redisUrl: stack.redis.url,
      config: await loadConfig(readEnvironment(stack.env)),
      log: createLog('test', 'silent'),
      kind: 'patient',
    });
    await setPaused(store, 'shelf', true);
    dashboard = await startRole('dashboard', { ...stack.env, MILLRACE_API_PORT: '7070' });
  });
  afterAll(async () => {
    await chromium?.close();
    await dashboard?.stop();
    await store?.close();
    await stack?.stop();
  });

  const open = (id: string, look: (page: Page) => Promise<void>): Promise<void> =>
    withPage(chromium.browser, `${dashboard.url}/jobs/${id}`, look);
  const submitted = async (job: object): Promise<string> => {
    const { body } = await call<{ id: string }>('POST', `${stack.api.url}/v1/jobs`, job);
    return body.id;
  };
  const shelved = (body: Record<string, unknown> = { input: 'hello' }): Promise<string> =>
    submitOne(store, { queue: 'shelf', body });
  const answered = async (output: string, body?: Record<string, unknown>): Promise<string> => {
    const id = await shelved(body);
    await end(store, id, { output });
    return id;
  };
  const idOf = (page: Page): string => new URL(page.url()).pathname.split('/').at(-1) ?? '';

  it('the answer is seen growing while it streams, of a job that nobody asked to be streamed', async () => {
    const id = await submitted({ type: 'generate', delay_seconds: 2, request: { input: `[[say:${LONG}]]` } });
    await open(id, async (page) => {
      await page.locator('#waiting', { hasText: 'its delay' }).waitFor();
      const live = page.locator('.live-text');
      const lengths = [0];
      for (let round = 0; round < 4; round++) {
        const before = lengths.at(-1) as number;
        const longer = await eventually('there is more of the text', async () => {
          const [text = ''] = await live.allTextContents();
          return text.length > before && text.length;
        });
        lengths.push(longer);
      }
      // In a tab that nobody looks at it keeps no connection: a browser has six for all of them.
      const look = (hidden: boolean) =>
        page.evaluate(
          `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'))`,
        );
      await look(true);
      const still = await live.textContent();
      const again = page.waitForRequest((request) => request.url().endsWith('/events'));
      await look(false);
      await again;
      await eventually('it grows on', async () => ((await live.textContent())?.length ?? 0) > (still?.length ?? 0));
      // It grew before its end: what was seen last was not yet the whole.
      expect(lengths.at(-1)).toBeLessThan(LONG.length);
      expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
      await page.locator('h1 .badge', { hasText: 'completed' }).waitFor();
      await live.waitFor({ state: 'detached' });
      await page.locator('.markdown', { hasText: 'word59' }).waitFor();
      expect((await page.locator('.markdown').textContent())?.trim()).toBe(LONG);
      await page.locator('.bars .said', { hasText: /called, to the first token .* · answering/ }).waitFor();
    });
  });

  it('an attempt tells what it waited for, when it was called, and what its worker had to say', async () => {
    const first = await submitted({ type: 'generate', request: { input: '[[slow:700]] first' } });
    await eventually('the first runs', async () => (await readJob(store, first))?.job.status === 'in_progress');
    const id = await submitted({ type: 'generate', request: { input: '[[fault:500 x1]] second' } });
    await open(id, async (page) => {
      await page.locator('h1 .badge', { hasText: 'completed' }).waitFor();
      const said = page.locator('.bars .said');
      await said.nth(1).waitFor();
      expect(await said.nth(0).textContent()).toMatch(/waited for another call to end \d.* · called/);
      expect(await said.nth(1).textContent()).toMatch(/waited to be tried again .*called/);
      const row = page.locator('.attempts tbody tr').first();
      expect(await row.locator('.log').textContent()).toMatch(/500 .*again in \d\.\d s/);
      expect(await row.textContent()).toContain('upstream_error');
    });
  });

  it('a waiting job is cancelled, retried, and edited and retried, with links both ways', async () => {
    const id = await shelved({ input: 'the old input', instructions: 'Be brief.' });
    await open(id, async (page) => {
      await page.locator('#waiting', { hasText: 'paused' }).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.locator('h1 .badge', { hasText: 'cancelled' }).waitFor();
      await page.getByRole('button', { name: 'Retry', exact: true }).click();
      await page.waitForURL((url) => !url.pathname.endsWith(id));
      const again = idOf(page);
      expect(await page.locator('#retried').count()).toBe(0);
      await page.locator('.facts').getByRole('link', { name: id }).click();
      await page.locator('.facts div', { hasText: 'Retried as' }).getByRole('link', { name: again }).waitFor();
      // Before it is paid for a third time: by each of the buttons, and for who does not see where it stands.
      await page.locator('#retried', { hasText: `as ${again}` }).waitFor();
      for (const name of ['Retry', 'Edit and retry']) {
        const button = page.getByRole('button', { name, exact: true });
        expect(await button.getAttribute('aria-describedby')).toBe('retried');
      }
      await page.setViewportSize({ width: 360, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);

      await page.getByRole('button', { name: 'Edit and retry' }).click();
      await page.getByLabel('Most output tokens').fill('-3');
      await page.getByRole('textbox', { name: 'Input' }).fill('the new input');
      await page.getByRole('button', { name: 'Submit as a new job' }).click();
      await page.locator('.fault', { hasText: 'max_output_tokens' }).waitFor();
      expect(await page.getByLabel('Most output tokens').getAttribute('aria-invalid')).toBe('true');
      await page.getByLabel('Most output tokens').fill('40');
      await page.getByRole('button', { name: 'Submit as a new job' }).click();
      await page.waitForURL((url) => !url.pathname.endsWith(id));
      await page.locator('.chat', { hasText: 'the new input' }).waitFor();
      const edited = (await readJob(store, idOf(page)))?.job;
      expect(edited).toMatchObject({
        retry_of: id,
        body: { input: 'the new input', instructions: 'Be brief.', max_output_tokens: 40 },
      });
      await page.locator('.facts').getByRole('link', { name: id }).waitFor();
    });
  });

  it('leads to its flow and its step there, to its batch, and to the job it goes on from', async () => {
    const request = { queue: 'shelf', request: { input: 'x' } };
    const steps = {
      first: { type: 'generate', ...request },
      other: { type: 'generate', needs: ['first'], ...request },
    };
    const flow = await createFlow(store, parseFlow(store.config, { name: 'two steps', steps }), null);
    const [inFlow] = await eventually('its first step has begun', async () => {
      const found = await readFlow(store, flow.id);
      return found?.steps['first']?.status === 'in_progress' && stepJobs(store, found, 'first');
    });
    const shelf = store.queues.get('shelf') as StoreQueue;
    const batch = await createBatch(store, {
      ...{ queue: shelf, endpoint: '/v1/responses', inputFileId: 'file-1', completionWindow: '24h', priority: 5 },
      ...{ windowMs: 86_400_000, metadata: null, key: null, outputExpiresSeconds: null, idempotency: null },
    });
    const place = { id: batch.id, place: 1, customId: 'line-7', chat: false };
    const body = { input: 'and then?', previous_response_id: inFlow?.id };
    const id = await submitOne(store, { queue: 'shelf', body, batch: place });
    await open(id, async (page) => {
      const fact = (name: string) => page.locator('.facts div', { has: page.getByText(name, { exact: true }) });
      await fact('Batch').getByText('line-7').waitFor();
      await fact('Batch').getByRole('link').click();
      await page.locator('h1', { hasText: batch.id }).waitFor();
      await page.goBack();
      await fact('Goes on from').getByRole('link').click();
      await page.locator('h1', { hasText: inFlow?.id ?? '' }).waitFor();
      await fact('Step of the flow').getByRole('link', { name: 'first' }).click();
      await page.locator('h1', { hasText: 'two steps' }).waitFor();
      await page.locator('#step-first.chosen').waitFor();
      expect(await page.locator('#step-other.chosen').count()).toBe(0);
      await page.goBack();
      await fact('Flow').getByRole('link', { name: flow.id }).click();
      await page.locator('h1', { hasText: 'two steps' }).waitFor();
    });
  });

  it('nothing runs of what users and models write, and nothing is loaded from elsewhere', async () => {
    const id = await submitOne(store, {
      ...{ queue: 'shelf', metadata: { [PAYLOAD.slice(0, 60)]: PAYLOAD.slice(0, 500) } },
      body: {
        instructions: PAYLOAD,
        input: [
          { role: 'user', content: PAYLOAD },
          { type: PAYLOAD, x: PAYLOAD },
        ],
      },
    });
    await end(store, id, { output: `[link](javascript:window.ran=1) ![i](http://127.0.0.1:9/i.png)\n\n${PAYLOAD}` });
    const context = await chromium.browser.newContext();
    try {
      const page = await context.newPage();
      const elsewhere: string[] = [];
      let dialogs = 0;
      page.on('dialog', (dialog) => {
        dialogs++;
        void dialog.dismiss();
      });
      page.on('request', (request) => {
        if (!request.url().startsWith(dashboard.url)) elsewhere.push(request.url());
      });
      await page.addInitScript(
        'window.violations = 0; document.addEventListener("securitypolicyviolation", () => window.violations++);',
      );
      await page.goto(`${dashboard.url}/jobs/${id}`);
      await page.locator('.markdown').waitFor();
      expect(await page.locator('.markdown').textContent()).toContain('link');
      const found = await page.evaluate(`({
        ran: 'ran' in window,
        violations: window.violations,
        alive: document.querySelectorAll('main script, main iframe, main svg[onload], main .markdown img').length,
        links: [...document.querySelectorAll('.markdown a')].map((link) => link.getAttribute('href')),
      })`);
      expect(found).toEqual({ ran: false, violations: 0, alive: 0, links: ['http://127.0.0.1:9/i.png'] });
      expect(dialogs).toBe(0);
      expect(elsewhere).toEqual([]);
    } finally {
      await context.close();
    }
  });

  it('an answer of five megabytes, and one of a call before, is shown by its beginning, and whole as a file', async () => {
    const id = await shelved();
    const shelf = store.queues.get('shelf') as StoreQueue;
    const begun = await beginAttempt(store, shelf, id, { worker: 'mill:1' });
    if (begun.kind !== 'begun') throw new Error(begun.kind);
    const output = [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: LARGE }] }];
    const turn = { number: 1, at: Date.now(), upstream_id: 'resp_up', usage: null, output, tools: {} };
    await writeTurn(store, shelf, id, begun.epoch, turn as Turn);
    await end(store, id, { output: LARGE });
    await open(id, async (page) => {
      await page.locator('#output ~ * .cut, .output .cut').first().waitFor();
      const length = await page.evaluate<number>(`document.querySelector('main').textContent.length`);
      expect(length).toBeLessThan(200_000);
      const link = page.locator('.output').getByRole('link', { name: 'The whole as a file' });
      const path = await link.getAttribute('href');
      const whole = await fetch(`${dashboard.url}${path}`);
      expect(whole.headers.get('content-type')).toMatch(/^text\/plain/);
      expect(whole.headers.get('content-disposition')).toMatch(/^attachment/);
      expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
      expect((await whole.text()).length).toBe(LARGE.length);
      const before = await page
        .locator('.turns')
        .getByRole('link', { name: 'The whole as a file' })
        .getAttribute('href');
      expect(await (await fetch(`${dashboard.url}${before}`)).json()).toMatchObject([{ number: 1, output }]);
      // It still does what it is told.
      await page.getByLabel('Plain text').check();
      await page.locator('.output pre').waitFor();
    });
  });

  it('a job that vanishes while its page is open is said to be gone; so is one that never was', async () => {
    const id = await answered('soon gone');
    await open(id, async (page) => {
      await page.locator('.markdown', { hasText: 'soon gone' }).waitFor();
      const queue = queueOfJob(store, id);
      if (queue === undefined) throw new Error('no queue');
      await removeJob(store, queue, id);
      await page.locator('[role=alert]', { hasText: 'not there any more' }).waitFor();
      expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0);
    });
    await open(`${id.slice(0, -4)}0000`, async (page) => {
      await page.locator('[role=alert]', { hasText: 'There is no such job' }).waitFor();
      await page.locator('#live.live').waitFor();
    });
  });

  it('text from right to left, and half characters, are shown as well as they can be', async () => {
    const id = await answered('שלום עולם', { input: 'a\ud800b', instructions: 'مرحبا' });
    await open(id, async (page) => {
      await page.locator('.markdown').waitFor();
      const direction = (selector: string): Promise<string> =>
        page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).direction`);
      expect(await direction('.markdown')).toBe('rtl');
      expect(await direction('.role-instructions pre')).toBe('rtl');
      expect(await direction('.chat pre')).toBe('ltr');
      expect(await page.locator('.chat pre').textContent()).toBe('a\ufffdb');
    });
  });

  it('a structured answer is a tree in which what misses its schema is marked', async () => {
    const format = { type: 'json_schema', name: 'invoice', schema: INVOICE, strict: true };
    const id = await answered(JSON.stringify({ total: 'seven', lines: ['a', 5] }), { input: 'x', text: { format } });
    await open(id, async (page) => {
      await page.locator('.output .badge', { hasText: 'misses its schema' }).waitFor();
      const missed = page.locator('.tree .missed');
      await expect.poll(() => missed.count()).toBe(2);
      expect(await missed.nth(0).textContent()).toMatch(/total.*must be number/);
      expect(await missed.nth(1).textContent()).toMatch(/1.*must be string/);
      await page.getByLabel('Plain text').check();
      expect(await page.locator('.output pre').textContent()).toContain('{"total":"seven"');
    });
  });

  it('the code to copy submits the job again', async () => {
    const id = await answered('done', { input: "it's" });
    await open(id, async (page) => {
      await page.locator('.code summary').click();
      await page.locator('.code pre', { hasText: "it'\\''s" }).waitFor();
      expect(await page.locator('.code pre').textContent()).toContain("curl 'http://127.0.0.1:7070/v1/responses'");
      await page.getByLabel('Language').selectOption('Python');
      await page.locator('.code pre', { hasText: 'from openai import OpenAI' }).waitFor();
    });
  });
});
