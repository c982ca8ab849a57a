/** The examples, each by its command as a user gives it: what comes out, what it costs, and that nothing is paid twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Simulator, startSimulator } from '@millrace/simulator';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { refundOnce } from '../../examples/support-agent/refunds.ts';
import { eventually } from '../harness/eventually.ts';
import { roleEnvironment } from '../harness/processes.ts';
import { freshRedis, type TestRedis } from '../harness/redis.ts';
import { startStack } from '../harness/stack.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLES = join(ROOT, 'examples');
const NAMES = ['blog-posts', 'documents', 'research', 'support-agent'];

let redis: TestRedis;
let simulator: Simulator;
/** Where the user stands: results, and the data of the examples' stacks, are below it. */
let folder: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-examples-'));
  [redis, simulator] = await Promise.all([freshRedis(), startSimulator()]);
});
afterEach(() => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});
afterAll(async () => {
  await Promise.all([redis?.dispose(), simulator?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(EXAMPLES, 'run.ts'), ...args], {
    cwd: folder,
    env: roleEnvironment({ REDIS_URL: redis.url, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  const exited = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  return { child, said: () => text, exited };
}

/** Runs an example to its end. */
async function example(
  args: readonly string[],
  env?: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const run = start(args, env);
  return { code: await run.exited, said: run.said() };
}

const out = (...path: string[]): string => readFileSync(join(folder, 'out', ...path), 'utf8');
const outLines = (...path: string[]): Record<string, unknown>[] =>
  out(...path)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const PAID = /cost: [1-9][\d,]* tokens for/;
const PAID_NOTHING = 'cost of this run: 0 tokens';

it('blog-posts: a post a topic, with front matter; what failed goes on in the next run, and the one after it pays nothing', async () => {
  const failing = JSON.stringify({ faults: [{ kind: '400', probability: 1, times: 1 }] });
  const first = await example(['blog-posts'], { MILLRACE_SIMULATOR: failing });
  expect(first.code, first.said).toBe(1);
  expect(first.said).toMatch(/failed: outlines: \S/);

  const second = await example(['blog-posts']);
  expect(second.code, second.said).toBe(0);
  expect(second.said).toContain('answers are simulated');
  expect(second.said).toContain('out/blog-posts/');
  const topics = readFileSync(join(EXAMPLES, 'blog-posts', 'topics.txt'), 'utf8').match(/^\w.*$/gm) ?? [];
  const posts = readdirSync(join(folder, 'out', 'blog-posts'));
  expect(posts).toHaveLength(topics.length);
  for (const post of posts)
    expect(out('blog-posts', post)).toMatch(/^---\ntitle: ".+"\ntopic: ".+"\njob: "resp_\w+"\n---\n\n# .+\n\n\S/);

  const third = await example(['blog-posts']);
  expect(third.code, third.said).toBe(0);
  expect(third.said).toContain('already done: 10 of 10 jobs');
  expect(third.said).toContain(PAID_NOTHING);
}, 60_000);

it('documents: a record a document, formulas as text; failures are told, tried again, and nothing is paid twice', async () => {
  const env = { OPENAI_BASE_URL: simulator.url };
  simulator.setFaults([{ kind: '400', probability: 1, times: 1 }]);
  const first = await example(['documents'], env);
  simulator.setFaults([]);
  expect(first.code, first.said).toBe(1);
  expect(outLines('documents', 'failures.jsonl')).toMatchObject([
    { reason: expect.any(String), job: expect.any(String) },
  ]);
  expect(outLines('documents', 'records.jsonl')).toHaveLength(6);

  const second = await example(['documents'], env);
  expect(second.code, second.said).toBe(0);
  expect(second.said).toContain('already done: 6 of 7 jobs');
  expect(outLines('documents', 'failures.jsonl')).toEqual([]);
  const records = outLines('documents', 'records.jsonl');
  expect(records).toHaveLength(7);
  expect(records[0]).toMatchObject({
    file: '01-invoice-millwright.txt',
    total: 3314.4,
    currency: 'GBP',
    date: '2026-03-04',
  });
  const csv = out('documents', 'records.csv').trim().split('\n');
  expect(csv).toHaveLength(8);
  expect(csv.at(-1)).toContain(`,"'=HYPERLINK(`);

  const third = await example(['documents'], env);
  expect(third.code, third.said).toBe(0);
  expect(third.said).toContain(PAID_NOTHING);
  expect(simulator.ledger()).toHaveLength(7);
}, 60_000);

it('documents: one that cannot be taken is listed with the reason, and the others are read', async () => {
  const own = join(folder, 'own');
  mkdirSync(own);
  writeFileSync(join(own, 'empty.txt'), '');
  writeFileSync(join(own, 'letter.md'), 'Sender: Edith\nDate: 2026-01-02\n');
  const { code, said } = await example(['documents', 'own']);
  expect(code, said).toBe(1);
  expect(said).toMatch(/failed: empty\.txt: .*document/);
  expect(outLines('documents', 'records.jsonl')).toMatchObject([{ file: 'letter.md', sender: 'Edith' }]);
}, 30_000);

it('research: a report that cites the findings of its steps; a second run pays nothing', async () => {
  const first = await example(['research']);
  expect(first.code, first.said).toBe(0);
  expect(first.said).toMatch(PAID);
  const report = out('research', 'report.md');
  expect(report).toMatch(/^# How mills came to stand beside rivers\n/);
  for (const number of [1, 2, 3, 4]) {
    expect(report).toContain(`[[${number}]](#finding-${number})`);
    expect(report).toMatch(new RegExp(`## Finding ${number}\n\n\\*.+\\*\n\n\\S`));
  }
  const second = await example(['research']);
  expect(second.code, second.said).toBe(0);
  expect(second.said).toContain(PAID_NOTHING);
}, 30_000);

it('support-agent: each question by its tool, remembered from turn to turn; what failed is tried again, what is done is not', async () => {
  const env = { OPENAI_BASE_URL: simulator.url };
  const before = simulator.ledger().length;
  simulator.setFaults([{ kind: '400', probability: 1, times: 1 }]);
  const failing = await example(['support-agent'], env);
  simulator.setFaults([]);
  expect([failing.code, failing.said]).toEqual([1, expect.stringContaining('was not answered: ')]);

  const first = await example(['support-agent'], env);
  expect(first.code, first.said).toBe(0);
  expect(first.said).toMatch(PAID);
  expect(first.said).toContain('tool      look_up_order {"order_id":"1042"} → {"id":"1042"');
  expect(first.said).toContain('→ {"order_id":"1042","paid_back":64.9,"currency":"EUR"}');
  expect(first.said).toMatch(/tool {6}search_help .* → \[\{"title":"When refunds arrive"/);
  expect(first.said.match(/^ {2}agent {5}\S/gm)).toHaveLength(4);
  expect(out('support-agent', 'transcript.md')).toContain('refund_order');
  const refunds = join(folder, '.millrace', 'examples', 'support-agent', 'refunds');
  expect(readdirSync(refunds)).toEqual(['order-1042.json']);
  const refund = readFileSync(join(refunds, 'order-1042.json'), 'utf8');
  // Three turns with a tool are two calls each.
  expect(simulator.ledger().length - before).toBe(7);

  const second = await example(['support-agent'], env);
  expect(second.code, second.said).toBe(0);
  expect(second.said).toContain('already done: 4 of 4 jobs');
  expect(second.said).toContain(PAID_NOTHING);
  expect(simulator.ledger().length - before).toBe(7);
  expect(readFileSync(join(refunds, 'order-1042.json'), 'utf8')).toBe(refund);
}, 30_000);

it('a refund is made once: the same call is told it again, another call is refused', () => {
  const refunds = join(folder, 'refunds');
  const refund = { order_id: '1', amount: 5, currency: 'EUR', reason: 'broken', idempotency_key: 'job:call' };
  expect(refundOnce(refunds, refund)).toEqual(refund);
  expect(refundOnce(refunds, { ...refund, amount: 7 })).toEqual(refund);
  expect(() => refundOnce(refunds, { ...refund, idempotency_key: 'job:other' })).toThrow('paid back already: 5 EUR');
  expect(readdirSync(refunds)).toEqual(['order-1.json']);
});

it('Ctrl-C ends all that was started, a second one at once, and says that the next run goes on', async () => {
  const slow = await startSimulator({ latencyMs: 600_000 });
  try {
    const run = start(['documents'], { OPENAI_BASE_URL: slow.url });
    await eventually('a call is under way', () => slow.stats().inFlight > 0);
    run.child.kill('SIGINT');
    const hurry = setInterval(() => run.child.kill('SIGINT'), 1000);
    const code = await run.exited;
    clearInterval(hurry);
    expect(code, run.said()).toBe(130);
    expect(run.said()).toContain('the next run goes on');
    const log = readFileSync(join(folder, '.millrace', 'examples', 'documents', 'start.log'), 'utf8');
    const api = /api +ready +(http:\S+)/.exec(log)?.[1];
    await expect(fetch(`${api}/healthz`)).rejects.toThrow();
  } finally {
    await slow.close();
  }
}, 30_000);

it('a Millrace that cannot be reached, or a name there is none of, is told in words', async () => {
  const gone = await example(['documents'], { MILLRACE_URL: 'http://127.0.0.1:9' });
  expect([gone.code, gone.said]).toEqual([1, expect.stringContaining('failed: nobody answers at http://127.0.0.1:9')]);
  const unknown = await example(['cook']);
  expect(unknown.code).toBe(1);
  for (const name of NAMES) expect(unknown.said).toContain(`npx pnpm@12 example ${name}`);
});

it('on a Millrace of another configuration, what is missing there is named', async () => {
  const stack = await startStack();
  try {
    const env = { MILLRACE_URL: `${stack.api.url}/v1` };
    const documents = await example(['documents'], env);
    expect(documents.code, documents.said).toBe(1);
    expect(documents.said).toContain("There is no schema 'letter' in the configuration");
    const agent = await example(['support-agent'], env);
    expect(agent.code, agent.said).toBe(1);
    expect(agent.said).toContain("has no tool 'look_up_order'");
    expect(agent.said).toContain('MILLRACE_CONFIG=examples/support-agent/millrace.config.ts');
  } finally {
    await stack.stop();
  }
}, 30_000);

it('every example has a README with its command, and the README names them all', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(scripts.example).toBe('node examples/run.ts');
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const folders = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'run.ts')));
  expect(folders.sort()).toEqual(NAMES);
  for (const name of NAMES) {
    expect(readme).toContain(`pnpm@12 example ${name}`);
    const own = readFileSync(join(EXAMPLES, name, 'README.md'), 'utf8');
    expect([...own.matchAll(/pnpm@12 example (\S+)/g)].map(([, named]) => named)).toContain(name);
    for (const [, target = ''] of own.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      expect(existsSync(join(EXAMPLES, name, target)), `${name}/README.md links to ${target}`).toBe(true);
    }
  }
});
