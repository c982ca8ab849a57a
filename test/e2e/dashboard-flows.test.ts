/** The pages of flows in a real Chromium, while a whole stack works. */
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { LEAST_CONTRAST } from '../harness/least-contrast.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const HOSTILE = `</pre>"'><script>window.hit=1</script><img src=x onerror="window.hit=1">`;
const MANY = 10_000;
const missing = browserMissing();

interface FlowView {
  id: string;
  status: string;
  retry_of: string | null;
  steps: Record<string, { jobs: { id: string }[] }>;
}

describe.skipIf(missing !== null)(`flows in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: Stack;
  let dashboard: RoleProcess;
  let chromium: LaunchedBrowser;
  beforeAll(async () => {
    const model = 'sim-1';
    [stack, chromium] = await Promise.all([
      startStack({
        config: {
          queues: { generate: { model, attempts: 1 }, extract: { model } },
          prices: { [model]: { input: 1000, output: 1000 } },
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
  const step = (input: string, more: object = {}) => ({ type: 'generate', request: { input }, ...more });
  const submit = async (steps: object, more: object = {}): Promise<string> => {
    const reply = await call<FlowView>('POST', `${stack.api.url}/v1/flows`, { steps, ...more });
    expect(reply.status, reply.text).toBe(202);
    return reply.body.id;
  };
  const read = async (id: string) => (await call<FlowView>('GET', `${stack.api.url}/v1/flows/${id}`)).body;
  const ended = (id: string) =>
    eventually(`flow ${id} has ended`, async () => (await read(id)).status !== 'in_progress');
  const badge = (page: Page, name: string) => page.locator(`#step-${name} .badge`);
  const heading = (page: Page, status: string) => page.locator('h1 .badge', { hasText: status });

  it('a flow runs, and its page and the list follow it to the end without a reload', async () => {
    await open('/flows', async (list) => {
      await list.locator('#live.live').waitFor();
      await call('POST', `${stack.api.url}/v1/queues/generate/pause`);
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
      await row.locator('.badge', { hasText: 'in progress' }).waitFor();
      await open(`/flows/${id}`, async (page) => {
        await page.locator('.layers').waitFor();
        await page.evaluate('window.loadedOnce = true');
        expect(await page.locator('.layers ol > li').count()).toBe(3);
        expect(await page.locator('.layers ol > li:nth-child(2) .step h3').allTextContents()).toEqual([
          'parts',
          'aside',
        ]);
        expect(await page.locator('#step-bottom .needs').textContent()).toBe('waits for parts, aside');
        await badge(page, 'bottom').getByText('waiting').waitFor();
        await call('POST', `${stack.api.url}/v1/queues/generate/resume`);
        await badge(page, 'parts').getByText('in progress').waitFor();
        await page.locator('#step-parts').getByText('0 of 3 done').waitFor();
        await page.locator('#step-parts').getByText('3 of 3 done').waitFor();
        await heading(page, 'completed').waitFor();
        await page.locator('#over', { hasText: '4 of 4' }).waitFor();
        expect(await page.locator('#step-bottom .needs').textContent()).toBe('after parts, aside');
        await page.locator('#cost', { hasText: /^\$\d/ }).waitFor();
        expect(await page.getByRole('button', { name: /flow|again/ }).count()).toBe(0);
        expect(await page.locator('#step-bottom').getByText('Its job').getAttribute('href')).toMatch(/^\/jobs\/resp_/);
        await page.locator('#step-parts').getByText('Its 3 jobs').click();
        await page.locator('.step-jobs tbody tr').nth(2).waitFor();
        expect(await page.locator('.step-jobs .said').allTextContents()).toEqual(['0', '1', '2']);
        await page.getByText('Show it here').click();
        await page.locator('details pre', { hasText: 'milk' }).waitFor();
        const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Download as').click()]);
        expect(download.suggestedFilename()).toBe(`${id}.json`);
        expect(await page.evaluate('window.loadedOnce')).toBe(true);
      });
      await row.getByText('4 of 4 completed').waitFor();
    });
  }, 60_000);

  it('a flow is cancelled and done again by its buttons, which a viewer may not press', async () => {
    const keys = { MILLRACE_API_KEYS: 'ann:operator:s-operator,vic:viewer:s-viewer' };
    const guarded = await startRole('dashboard', { ...stack.env, ...keys });
    try {
      const id = await submit({
        quick: step('x'),
        slow: step('[[slow:30000]] {{steps.quick.output_text}}', { for_each: [1, 2] }),
        after: step('{{steps.slow.output_text}}'),
      });
      const as = (secret: string, look: (page: Page) => Promise<void>) =>
        withPage(chromium.browser, `${guarded.url}/flows/${id}`, async (page) => {
          await page.getByLabel('API key').fill(secret);
          await page.getByText('Sign in', { exact: true }).click();
          await look(page);
        });
      await as('s-viewer', async (page) => {
        await page.getByText('Cancel the flow').waitFor();
        expect(await page.getByText('Cancel the flow').isDisabled()).toBe(true);
        const status = await page.evaluate(`(async () => {
          const { csrf } = await (await fetch('/api/session')).json();
          return (await fetch('/api/flows/${id}/cancel', { method: 'POST', headers: { 'x-csrf-token': csrf } })).status;
        })()`);
        expect(status).toBe(403);
      });
      await as('s-operator', async (page) => {
        await badge(page, 'slow').getByText('in progress').waitFor();
        // By keyboard: the question takes the focus, to its No; Escape is No, and leads back.
        const focused = (name: string) => page.locator('button:focus', { hasText: name }).waitFor();
        await page.getByText('Cancel the flow').press('Enter');
        await focused('No');
        await page.keyboard.press('Escape');
        await focused('Cancel the flow');
        await page.keyboard.press('Enter');
        await page.getByText('Yes, cancel the flow').click();
        await heading(page, 'cancelled').waitFor();
        await badge(page, 'after').getByText('cancelled').waitFor();
        await page.locator('#step-slow').getByText('2 failed').waitFor();
        await page.getByText('Do it again').click();
        await page.locator('.facts', { hasText: 'Retry of' }).getByText(id).waitFor();
        expect(await badge(page, 'quick').textContent()).toBe('completed');
        const again = page.url().split('/').at(-1) as string;
        expect((await read(again)).retry_of).toBe(id);
        await page.getByText('Cancel the flow').click();
        await page.getByText('Yes, cancel the flow').click();
        await heading(page, 'cancelled').waitFor();
      });
    } finally {
      await guarded.stop();
    }
  }, 60_000);

  it('a flow that failed says why, lists its failures first, and is done again by the button', async () => {
    const id = await submit({
      many: step('{{item}}', { for_each: ['fine', '[[fault:failed code=invalid_prompt]]', 'fine'] }),
      after: step('{{steps.many.output_text}}'),
    });
    await ended(id);
    await open(`/flows/${id}?step=many`, async (page) => {
      await page.locator('#step-many .reason', { hasText: 'invalid_prompt' }).waitFor();
      await page.locator('.step-jobs tbody tr').first().waitFor();
      expect(await page.locator('.step-jobs tbody tr').count()).toBe(1);
      await page.getByText('All 3').click();
      await page.locator('.step-jobs tbody tr').nth(2).waitFor();
      await page.getByText('Do it again').click();
      await page.locator('.facts', { hasText: 'Retry of' }).getByText(id).waitFor();
    });
  });

  it('hostile names, inputs and errors of a flow run nothing', async () => {
    const flow = await submit(
      {
        bad: step(`[[fault:failed code=invalid_prompt]] ${HOSTILE}`, { on_failure: 'continue' }),
        loop: step('[[say:{{item}}]]', { for_each: [HOSTILE] }),
      },
      { name: HOSTILE, input: { x: HOSTILE }, metadata: { [HOSTILE.slice(0, 60)]: HOSTILE } },
    );
    await ended(flow);
    for (const path of ['/flows', `/flows/${flow}`, `/flows/${flow}?step=bad`, `/flows/${flow}?step=loop`]) {
      await open(path, async (page) => {
        await page.getByText('window.hit=1').first().waitFor();
        if (path !== '/flows') {
          await page.getByText('Show it here').click();
          await page.locator('details pre', { hasText: 'window.hit=1' }).waitFor();
        }
        if (path.includes('?')) await page.locator('.step-jobs tbody tr').first().waitFor();
        expect(await page.locator('script:text("window.hit"), [onerror]').count(), path).toBe(0);
        expect(await page.evaluate('window.hit'), path).toBeUndefined();
      });
    }
  }, 60_000);

  it.each(['light', 'dark'] as const)(
    '%s: readable from 360 to 1280 px wide, with enough contrast',
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
      for (const [name, path] of [
        ['flows', '/flows'],
        ['flow', `/flows/${flow}`],
        ['step', `/flows/${flow}?step=second`],
      ] as const) {
        const look = async (page: Page): Promise<void> => {
          await page.getByText('nnnn').first().waitFor();
          if (name === 'step') await page.locator('.step-jobs tbody tr').first().waitFor();
          for (const width of [360, 390, 860, 861, 1280]) {
            await page.setViewportSize({ width, height: 800 });
            const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
            expect(overflow, `${path} at ${width}`).toBeLessThanOrEqual(0);
            expect(await page.evaluate(LEAST_CONTRAST), `${path} at ${width}`).toMatchObject({ enough: true });
          }
        };
        await open(path, look, { colorScheme });
      }
    },
    60_000,
  );

  it('a step of 10,000 jobs stays light: a page of its jobs is listed, and those that failed are found', async () => {
    await call('POST', `${stack.api.url}/v1/queues/generate/pause`);
    const id = await submit({ many: step('{{index}}', { for_each: Array.from({ length: MANY }, (_, n) => n) }) });
    const ids = (await read(id)).steps.many?.jobs.map((job) => job.id) ?? [];
    await call('POST', `${stack.api.url}/v1/jobs/${ids[99]}/cancel`);
    await open(`/flows/${id}`, async (page) => {
      await page.locator('#step-many').getByText('1 of 10,000 ended').waitFor();
      await page.locator('#cost', { hasText: 'of the first 500 of 10,000 jobs' }).waitFor();
      await page.locator('#step-many').getByText('Its 10,000 jobs').click();
      await page.locator('.step-jobs tbody tr').nth(49).waitFor();
      expect(await page.locator('.step-jobs tbody tr').count()).toBe(50);
      await page.getByText('Only those that failed').click();
      await page.locator('.step-jobs .badge', { hasText: 'cancelled' }).waitFor();
      expect(await page.locator('.step-jobs tbody tr').count()).toBe(1);
      await page.getByText('On from 2,000').waitFor();
      await page
        .locator('#step-many .waits', { hasText: "Its queue waits: held the queue 'generate' is paused" })
        .waitFor();
    });
  }, 60_000);
});
