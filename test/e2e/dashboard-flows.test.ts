/** The pages of flows, and what a job's page tells of its turns, in a real Chromium, while a whole stack works. */
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { live } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { LEAST_CONTRAST } from '../harness/least-contrast.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';
import { finished, type Stack, startStack, submitJob } from '../harness/stack.ts';

const HOSTILE = `</pre>"'><script>window.hit=1</script><img src=x onerror="window.hit=1">`;
const MANY = 10_000;

const missing = browserMissing();

interface FlowView {
  id: string;
  status: string;
  steps: Record<string, { jobs: { id: string }[] }>;
}

describe.skipIf(missing !== null)(`in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: Stack;
  let dashboard: RoleProcess;
  let launched: LaunchedBrowser;
  beforeAll(async () => {
    const model = 'sim-1';
    stack = await startStack({
      tools: true,
      config: {
        queues: { generate: { model, attempts: 1 }, extract: { model }, shared: { model, cache: { seconds: 600 } } },
      },
    });
    dashboard = await startRole('dashboard', stack.env);
    launched = await launchBrowser();
  }, 180_000);
  afterAll(async () => {
    await launched?.close();
    await dashboard?.stop();
    await stack?.stop();
  });

  const open = (path: string, look: (page: Page) => Promise<void>, options: BrowserContextOptions = {}) =>
    withPage(launched.browser, `${dashboard.url}${path}`, look, options);
  const step = (input: string, more: object = {}) => ({ type: 'generate', request: { input }, ...more });
  const submit = async (steps: object, more: object = {}): Promise<string> => {
    const reply = await call<FlowView>('POST', `${stack.api.url}/v1/flows`, { steps, ...more });
    expect(reply.status, reply.text).toBe(202);
    return reply.body.id;
  };
  const read = async (id: string) => (await call<FlowView>('GET', `${stack.api.url}/v1/flows/${id}`)).body;
  const ended = (id: string, ms?: number) =>
    eventually(`flow ${id} has ended`, async () => (await read(id)).status !== 'in_progress', ms);
  /** Does what the page says is to be done, at the address where the API is here. */
  const doAsTold = async (page: Page): Promise<{ id: string }> => {
    const command = (await page.locator('.command').textContent()) ?? '';
    const [, path] = /^curl -X POST http:\/\/127\.0\.0\.1:7070(\/v1\/flows\/\S+)$/.exec(command) ?? [];
    expect(path, command).toBeDefined();
    return (await call<{ id: string }>('POST', `${stack.api.url}${path}`)).body;
  };
  const badge = (page: Page, step: string) => page.locator(`#step-${step} .badge`);

  it('a flow runs, and its page and the list follow it to the end without a reload', async () => {
    await open('/flows', async (list) => {
      await live(list);
      await list.evaluate('window.loadedOnce = true');
      const id = await submit(
        {
          top: step('[[slow:2000]] {{input.word}}'),
          parts: step('[[slow:4000]] [[say:{{index}}]] {{steps.top.output_text}}', { for_each: [1, 2, 3] }),
          aside: step('{{steps.top.output_text}}'),
          bottom: step('{{steps.parts.output_text}} {{steps.aside.output_text}}'),
        },
        { name: 'follow me', input: { word: 'milk' } },
      );
      const row = list.locator('.flows tbody tr', { hasText: 'follow me' });
      await row.getByText('in_progress').waitFor();
      await open(`/flows/${id}`, async (page) => {
        await live(page);
        await page.evaluate('window.loadedOnce = true');
        expect(await page.locator('.layers ol > li').count()).toBe(3);
        expect(await page.locator('.layers ol > li:nth-child(2) .step h3').allTextContents()).toEqual([
          'parts',
          'aside',
        ]);
        expect(await page.locator('#step-bottom .needs').textContent()).toBe('after parts, aside');
        await badge(page, 'bottom').getByText('waiting').waitFor();
        await badge(page, 'parts').getByText('in_progress').waitFor();
        await page.locator('#step-parts').getByText('0 of 3 done').waitFor();
        await page.locator('#step-parts').getByText('3 of 3 done').waitFor();
        await page.locator('h1 .badge', { hasText: 'completed' }).waitFor();
        await page.locator('.facts', { hasText: '4 of 4' }).waitFor();
        expect(await page.locator('.command').count()).toBe(0);
        expect(await page.evaluate('window.loadedOnce')).toBe(true);
        await page.locator('#step-bottom a', { hasText: 'Its job' }).click();
        await page.locator('.facts a', { hasText: id }).click();
        expect(page.url()).toBe(`${dashboard.url}/flows/${id}`);
        await page.locator('#step-parts a', { hasText: 'Its 3 jobs' }).click();
        expect(await page.locator('.step-jobs tbody tr').count()).toBe(3);
      });
      await row.getByText('4 of 4 completed').waitFor();
      expect(await list.evaluate('window.loadedOnce')).toBe(true);
    });
  });

  it('a flow is cancelled and done again by what its page says, and the page shows it without a reload', async () => {
    const id = await submit({
      quick: step('x'),
      slow: step('[[slow:30000]] {{steps.quick.output_text}}', { for_each: [1, 2] }),
      after: step('{{steps.slow.output_text}}'),
    });
    await open(`/flows/${id}`, async (page) => {
      await live(page);
      await page.evaluate('window.loadedOnce = true');
      await badge(page, 'slow').getByText('in_progress').waitFor();
      await doAsTold(page);
      await page.locator('h1 .badge', { hasText: 'cancelled' }).waitFor();
      await badge(page, 'slow').getByText('cancelled').waitFor();
      await badge(page, 'after').getByText('cancelled').waitFor();
      await page.locator('#step-slow').getByText('2 failed').waitFor();
      await page.locator('.command', { hasText: '/retry' }).waitFor();
      expect(await page.evaluate('window.loadedOnce')).toBe(true);
      const again = await doAsTold(page);
      expect(again.id).not.toBe(id);
      await page.goto(`${dashboard.url}/flows/${again.id}`);
      expect(await badge(page, 'quick').textContent()).toBe('completed');
      expect(await page.locator('.facts a').getAttribute('href')).toBe(`/flows/${id}`);
      await live(page);
      await doAsTold(page);
      await page.locator('h1 .badge', { hasText: 'cancelled' }).waitFor();
    });
  });

  it('a job’s page tells the turns of a tool loop: what the model asked, what the tools told, what failed', async () => {
    const id = await submitJob(stack, {
      ...{ type: 'generate', queue: 'generate' },
      request: {
        input: '[[args:get_weather {"city":"Oslo"}]] [[loop:get_weather x3]] Each day?',
        tools: [{ type: 'function', name: 'get_weather' }],
      },
    });
    await finished(stack, id);
    await open(`/jobs/${id}`, async (page) => {
      const turns = page.locator('.turns > li');
      expect(await turns.count()).toBe(3);
      const text = (await turns.first().textContent()) ?? '';
      for (const part of ['Call 1', 'get_weather', 'done', '{"city":"Oslo"}', '{"city":"Oslo","celsius":21}', ' ms']) {
        expect(text).toContain(part);
      }
    });
    const failing = await submitJob(stack, {
      ...{ type: 'generate', queue: 'generate' },
      request: { input: '[[call:throws]] Try.', tools: [{ type: 'function', name: 'throws' }] },
    });
    await finished(stack, failing);
    await open(`/jobs/${failing}`, async (page) => {
      expect(await page.locator('.tool .badge').textContent()).toBe('failed');
      expect(await page.locator('.tool').textContent()).toContain('the station is closed');
    });
  });

  it('a job that missed its schema at first tells where', async () => {
    const schema = { name: 'bill', schema: { type: 'object', properties: { total: { type: 'number' } } } };
    const strict = { ...schema.schema, required: ['total'], additionalProperties: false };
    const id = await submitJob(stack, {
      ...{ type: 'extract', queue: 'extract', document: '[[fault:badschema x1]] total 12' },
      schema: { ...schema, schema: strict },
    });
    await finished(stack, id);
    await open(`/jobs/${id}`, async (page) => {
      await page.locator('.turns', { hasText: 'missed its schema' }).waitFor();
      expect(await page.locator('.misses li').count()).toBeGreaterThan(0);
    });
  });

  it('a job that shared another’s call leads to that one', async () => {
    const job = { type: 'generate', queue: 'shared', request: { input: 'the same' } };
    const first = await submitJob(stack, job);
    await finished(stack, first);
    const second = await submitJob(stack, job);
    await finished(stack, second);
    await open(`/jobs/${second}`, async (page) => {
      await page.locator('.facts', { hasText: 'at no cost' }).locator('a').click();
      expect(page.url()).toBe(`${dashboard.url}/jobs/${first}`);
    });
    await open(`/board/queue/shared/${second}`, async (page) => {
      await page.getByText('answered_by').first().waitFor();
    });
  });

  it('hostile names, inputs and errors of a flow, and what tools are told, run nothing', async () => {
    const flow = await submit(
      {
        bad: step(`[[fault:failed code=invalid_prompt]] ${HOSTILE}`),
        loop: step('{{input.x}}', { for_each: '{{input.list}}' }),
      },
      { name: HOSTILE, input: { x: HOSTILE, list: [HOSTILE] }, metadata: { [HOSTILE.slice(0, 60)]: HOSTILE } },
    );
    await ended(flow);
    const job = await submitJob(stack, {
      ...{ type: 'generate', queue: 'generate' },
      request: {
        input: `[[args:get_weather ${JSON.stringify({ city: HOSTILE })}]] [[call:get_weather]] x`,
        tools: [{ type: 'function', name: 'get_weather' }],
      },
    });
    await finished(stack, job);
    for (const path of ['/flows', `/flows/${flow}`, `/flows/${flow}/steps/bad`, `/jobs/${job}`]) {
      await open(path, async (page) => {
        await page.getByText('window.hit=1').first().waitFor();
        expect(await page.locator('script:text("window.hit"), [onerror]').count(), path).toBe(0);
        expect(await page.evaluate('window.hit'), path).toBeUndefined();
      });
    }
  });

  it.each(['light', 'dark'] as const)(
    '%s: the pages of flows and of turns are readable from 360 to 1600 px wide, with enough contrast',
    async (colorScheme) => {
      const flow = await submit(
        {
          plan: step('x'),
          first: step('[[fault:failed code=invalid_prompt]] {{steps.plan.output_text}}', { on_failure: 'continue' }),
          second: step('{{item}} {{steps.plan.output_text}}', { for_each: [1, 2, 3, 4], on_failure: 'skip' }),
          [`a-${'long-'.repeat(12)}`]: step('{{steps.first.output_text}} {{steps.second.output_text}}'),
          broken: step('{{steps.plan.output_parsed.title}}'),
          never: step('{{steps.broken.output_text}}'),
          // More layers than any width has room for.
          'chain-0': step('x'),
          ...Object.fromEntries(
            Array.from({ length: 9 }, (_, n) => [`chain-${n + 1}`, step(`{{steps.chain-${n}.output_text}}`)]),
          ),
        },
        { name: 'n'.repeat(200), input: { list: ['a', 'b'] }, metadata: { customer: 'acme' } },
      );
      await ended(flow);
      const job = await submitJob(stack, {
        ...{ type: 'generate', queue: 'generate' },
        request: {
          input: `[[args:get_weather {"city":"${'x'.repeat(300)}"}]] [[call:get_weather]] [[call:throws]] x`,
          tools: [
            { type: 'function', name: 'get_weather' },
            { type: 'function', name: 'throws' },
          ],
        },
      });
      await finished(stack, job);
      for (const path of ['/flows', `/flows/${flow}`, `/flows/${flow}/steps/second`, `/jobs/${job}`]) {
        for (const width of [360, 390, 860, 861, 1280, 1600]) {
          await open(
            path,
            async (page) => {
              const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
              expect(overflow, `${path} at ${width}`).toBeLessThanOrEqual(0);
              expect(await page.evaluate(LEAST_CONTRAST), `${path} at ${width}`).toMatchObject({ enough: true });
            },
            { colorScheme, viewport: { width, height: 800 } },
          );
        }
      }
    },
    90_000,
  );

  it('a step of 10,000 jobs stays light: its failures are listed first, and no more than a hundred jobs', async () => {
    await call('POST', `${stack.api.url}/v1/queues/generate/pause`);
    const id = await submit({ many: step('{{index}}', { for_each: Array.from({ length: MANY }, (_, n) => n) }) });
    const ids = (await read(id)).steps.many?.jobs.map((job) => job.id) ?? [];
    await call('POST', `${stack.api.url}/v1/jobs/${ids[99]}/cancel`);
    await open(`/flows/${id}`, async (page) => {
      await live(page);
      await page.locator('#step-many').getByText('1 of 10,000 ended').waitFor();
      expect((await page.content()).length).toBeLessThan(20_000);
      await page.locator('#step-many a').click();
      expect(await page.locator('.step-jobs tbody tr').count()).toBe(100);
      expect(await page.locator('.step-jobs tbody tr').first().textContent()).toContain('cancelled');
      expect(await page.locator('.counted').textContent()).toContain('9,999');
    });
  }, 60_000);
});
