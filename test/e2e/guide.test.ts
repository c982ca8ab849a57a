/** Every command of docs/guide.md does what it says there: they are read from it and run, in order. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig, readEnvironment } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { finished, type Stack, startStack } from '../harness/stack.ts';

const guide = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'guide.md'), 'utf8');
/** The commands, by the section they are in. */
const commands = new Map(
  guide
    .split(/^## /m)
    .slice(1)
    .map((section) => [
      section.slice(0, section.indexOf('\n')),
      [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code]) => code as string),
    ]),
);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ tools: true });
}, 60_000);
afterAll(() => stack?.stop());

async function run(section: string): Promise<string> {
  const [code = ''] = commands.get(section) ?? [];
  commands.delete(section);
  const script = code.replaceAll('http://127.0.0.1:7070', stack.api.url).replaceAll('curl -s', 'curl -fsS');
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { timeout: 30_000 });
  return stdout;
}
const response = async (section: string) => JSON.parse(await run(section));

it('a basic request, a second turn and an image are answered', async () => {
  for (const section of ['Basic request', 'Multi-turn conversations', 'Images and files']) {
    expect(await response(section), section).toMatchObject({ object: 'response', status: 'completed' });
  }
});

it('tools are named, and known', async () => {
  expect(await response('Tools')).toMatchObject({ status: 'completed', tools: [{ name: 'get_weather' }] });
});

it('a record is extracted', async () => {
  const { id } = await response('Structured outputs');
  expect((await finished(stack, id)).result?.output_parsed).toEqual({ total: 42.5 });
});

it('events are streamed', async () => {
  expect(await run('Streaming')).toMatch(/^event: response\.created\n[\s\S]*event: response\.completed\n/);
});

it('a flow comes to its end', async () => {
  const { id } = await response('Parallel work');
  await eventually('it is completed', async () => {
    const { body } = await call<{ status: string }>('GET', `${stack.api.url}/v1/flows/${id}`);
    return body.status === 'completed';
  });
});

it('failures, limits and totals are told, and a chat is answered', async () => {
  expect(await response('Errors and retries')).toMatchObject({ object: 'list' });
  expect(await response('Rate limits')).toMatchObject({ object: 'list' });
  expect(await response('Migration from Chat Completions')).toMatchObject({ object: 'chat.completion' });
  expect(await run('Cost')).toContain('millrace_tokens_total');
});

it('the tool of the guide is one that the configuration takes, and runs', async () => {
  // Inside the repository, so that it finds its packages as a reader's own file would.
  const folder = await mkdtemp(join(import.meta.dirname, '.guide-'));
  try {
    const [, code = ''] = /^```ts\n(.*?)^```$/ms.exec(guide) ?? [];
    await writeFile(join(folder, 'millrace.config.ts'), code);
    const { tools } = await loadConfig(readEnvironment({}), folder);
    const call = { idempotencyKey: 'k', jobId: 'j', signal: new AbortController().signal };
    expect(await tools['get_weather']?.run({ city: 'Oslo' }, call)).toEqual({ city: 'Oslo', celsius: 21 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('no command of the guide was left out', () => {
  expect([...commands].filter(([, codes]) => codes.length > 0).map(([section]) => section)).toEqual([]);
});
