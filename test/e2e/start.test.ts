/** `start`: the whole stack and the demo by one command, on a machine that has no Redis. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { roleEnvironment } from '../harness/processes.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'apps', 'cli', 'src', 'main.ts');
/** No Redis and no Valkey to be found, as on a fresh machine. */
const bare = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !['redis-server', 'valkey-server'].some((name) => existsSync(join(folder, name))))
  .join(delimiter);

let data: string;
let ports: { api: number; dashboard: number; simulator: number };
const started: ChildProcess[] = [];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'millrace-start-'));
  const [api = 0, dashboard = 0, simulator = 0] = await freePorts(3);
  ports = { api, dashboard, simulator };
});
afterEach(async () => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

interface Start {
  child: ChildProcess;
  said: () => string;
  exited: Promise<number | null>;
}

function start(args: string[], env: Record<string, string> = {}): Start {
  const child = spawn(process.execPath, [MAIN, 'start', ...args], {
    cwd: ROOT,
    env: roleEnvironment({
      PATH: bare,
      MILLRACE_DATA: data,
      MILLRACE_API_PORT: String(ports.api),
      MILLRACE_DASHBOARD_PORT: String(ports.dashboard),
      MILLRACE_SIMULATOR_PORT: String(ports.simulator),
      ...env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, said: () => text, exited };
}

it('start --once reads every README into a valid record, says that answers are simulated, and leaves nothing running', async () => {
  const run = start(['--once']);
  expect(await run.exited, run.said()).toBe(0);
  const said = run.said();
  expect(said).toContain('answers are simulated');
  for (const part of ['redis', 'simulator', 'api', 'workers', 'dashboard'])
    expect(said).toMatch(new RegExp(`${part} +ready`));
  expect(said).toContain(`http://127.0.0.1:${ports.api}`);
  expect(said).toContain('install command');

  const lines = (await readFile(join(data, 'demo', 'results.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.length).toBeGreaterThan(90);
  const records = lines.map(
    (line) => JSON.parse(line) as { package: string; status: string; job_id: string; result: Record<string, unknown> },
  );
  expect(new Set(records.map((record) => record.package)).size).toBe(lines.length);
  for (const { status, job_id, result } of records) {
    expect(status).toBe('completed');
    expect(job_id).toMatch(/^resp_[0-9a-f]{48}$/);
    expect(Object.keys(result).sort()).toEqual(['install_command', 'license', 'links', 'name', 'purpose']);
    expect(Array.isArray(result.links)).toBe(true);
  }
  const withLicense = records.filter(({ result }) => typeof result.license === 'string');
  expect(withLicense.length).toBeGreaterThan(20);
  for (const port of Object.values(ports)) await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
}, 170_000);

it('Ctrl-C stops everything, and the next start finds the jobs that were left', async () => {
  const api = `http://127.0.0.1:${ports.api}`;
  const first = start(['--no-demo', '--workers', '1']);
  await eventually('the stack is up', () => first.said().includes('dashboard   ready'), 60_000);
  await call('POST', `${api}/v1/queues/generate/pause`);
  const { body } = await call<{ id: string }>('POST', `${api}/v1/jobs`, {
    type: 'generate',
    request: { input: 'left behind' },
  });
  first.child.kill('SIGINT');
  expect(await first.exited, first.said()).toBe(0);
  await expect(fetch(`${api}/healthz`)).rejects.toThrow();

  const second = start(['--no-demo', '--workers', '1']);
  await eventually('the stack is up again', () => second.said().includes('dashboard   ready'), 60_000);
  expect((await call('GET', `${api}/v1/jobs/${body.id}`)).body.status).toBe('queued');
  await call('POST', `${api}/v1/queues/generate/resume`);
  await eventually(
    'the job is done',
    async () => (await call('GET', `${api}/v1/jobs/${body.id}`)).body.status === 'completed',
  );
  second.child.kill('SIGTERM');
  expect(await second.exited).toBe(0);
}, 120_000);

it('a port that is taken is named with its variable, and nothing is left running', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(ports.api, '127.0.0.1', resolve));
  const run = start(['--no-demo']);
  expect(await run.exited).toBe(1);
  expect(run.said()).toContain(String(ports.api));
  expect(run.said()).toContain('MILLRACE_API_PORT');
  await expect(fetch(`http://127.0.0.1:${ports.simulator}/healthz`)).rejects.toThrow();
  await new Promise((resolve) => holder.close(resolve));
}, 60_000);

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const found = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return found;
}
