/** Every command and snippet of the README does what it says there: they are read from the README and run. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { spawnRole } from '../harness/processes.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code as string);
const curls = blocks('sh').filter((block) => block.includes('curl'));
const [sdkSnippet = '', configSnippet = ''] = blocks('ts');

let stack: Stack;
let folder: string;

beforeAll(async () => {
  // Inside the repository, so that the snippet finds its packages as a reader's own file would.
  folder = await mkdtemp(join(import.meta.dirname, '.readme-'));
  stack = await startStack({ config: { queues: { generate: { model: 'sim-1' }, extract: { model: 'sim-1' } } } });
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

const here = (code: string): string => code.replaceAll('http://127.0.0.1:7070', stack.api.url);

/** Runs a block as its reader would, but stops at the first command that fails; curl fails on an HTTP error. */
async function run(block: string): Promise<string> {
  const script = here(block).replaceAll('curl -s', 'curl -fsS');
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { timeout: 30_000 });
  return stdout;
}

const settled = (): Promise<unknown> =>
  eventually('nothing waits or runs', async () => {
    const { body } = await call<{ data: { jobs: { waiting: number; active: number } }[] }>(
      'GET',
      `${stack.api.url}/v1/queues`,
    );
    return body.data.every(({ jobs }) => jobs.waiting + jobs.active === 0);
  });

describe('the README’s curl lines', () => {
  it('are all here', () => {
    expect(curls).toHaveLength(6);
  });

  it('submit a job, and read it back', async () => {
    expect(JSON.parse(await run(curls[0] as string))).toMatchObject({
      object: 'job',
      status: 'queued',
      queue: 'generate',
    });
    await settled();
    expect(JSON.parse(await run(curls[1] as string))).toMatchObject({
      status: 'completed',
      result: { output_text: expect.any(String) },
    });
  });

  it('extract a record', async () => {
    const { id } = JSON.parse(await run(curls[2] as string)) as { id: string };
    await settled();
    const { body } = await call('GET', `${stack.api.url}/v1/jobs/${id}`);
    expect(body).toMatchObject({ status: 'completed', queue: 'extract', result: { output_parsed: { total: 42.5 } } });
  });

  it('submit many, once', async () => {
    const ids = async (): Promise<string[]> =>
      (await run(curls[3] as string))
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id);
    const first = await ids();
    expect(first).toHaveLength(2);
    expect(await ids()).toEqual(first);
  });

  it('act on jobs and queues, and ask for readiness and metrics', async () => {
    await settled();
    expect(await run(curls[4] as string)).toContain('"retry_of":"resp_');
    expect(await run(curls[5] as string)).toContain('millrace_jobs_finished_total');
  });
});

it('the README’s SDK snippet prints a response waited for, streamed, and polled for', async () => {
  const file = join(folder, 'snippet.ts');
  await writeFile(file, here(sdkSnippet));
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 30_000 });
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toMatch(/^completed \S/);
  expect(lines.at(-1)).toMatch(/^completed \S/);
  expect(lines.length).toBeGreaterThan(3);
});

it('the README’s configuration is taken as it stands there', async () => {
  const file = join(ROOT, 'test', 'e2e', '.readme-config.ts');
  const core = join(ROOT, 'packages', 'core', 'src', 'index.ts');
  await writeFile(
    file,
    configSnippet
      .replace("'@millrace/core'", JSON.stringify(core))
      .replace("'zod'", JSON.stringify(join(ROOT, 'node_modules', 'zod', 'index.js'))),
  );
  const { process: api, ready } = spawnRole('api', { ...stack.env, MILLRACE_CONFIG: file });
  try {
    const port = await ready;
    const { body } = await call<{ data: { name: string; upstream: string; model: string }[] }>(
      'GET',
      `http://127.0.0.1:${port}/v1/queues`,
    );
    expect(body.data).toMatchObject([{ name: 'generate', upstream: 'local', model: 'qwen3' }, { name: 'extract' }]);
    const reply = await call('POST', `http://127.0.0.1:${port}/v1/jobs`, {
      type: 'extract',
      document: 'x',
      schema: 'invoice',
      delay_seconds: 3600,
    });
    expect(reply.status).toBe(202);
  } finally {
    await api.stop();
    await rm(file, { force: true });
  }
});

it('every pnpm command of the documents is a script of the workspace', async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const documents = await Promise.all(
    ['README.md', 'CONTRIBUTING.md'].map((name) => readFile(join(ROOT, name), 'utf8')),
  );
  const named = documents.flatMap((text) => [...text.matchAll(/pnpm@12 ([a-z]+)/g)].map(([, name]) => name as string));
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) expect([...Object.keys(scripts), 'install']).toContain(name);
});

it('every file the documents link to exists', async () => {
  const documents = [
    ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/durability.md', 'docs/limits.md', 'docs/streaming.md'],
    ...['docs/batches.md', 'docs/webhooks.md', 'docs/configuration.md'],
  ];
  for (const document of documents) {
    const text = await readFile(join(ROOT, document), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      expect(existsSync(join(ROOT, document, '..', target)), `${document} links to ${target}`).toBe(true);
    }
  }
});
