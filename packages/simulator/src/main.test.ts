import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { startSimulator } from './index.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const children: ChildProcess[] = [];

function launch(environment: Record<string, string>) {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [MAIN], {
    env: { ...(PATH && { PATH }), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

/** The base URL it prints once it listens. */
async function listening(child: ReturnType<typeof launch>): Promise<string> {
  const [line]: string[] = await once(createInterface(child.stdout), 'line');
  expect(line).toMatch(/^simulator listening on http:\/\/127\.0\.0\.1:\d+\/v1$/);
  return line?.split(' ').at(-1) ?? '';
}

async function failure(environment: Record<string, string>): Promise<{ code: number; stderr: string }> {
  const child = launch(environment);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code]: number[] = await once(child, 'close');
  return { code: code ?? -1, stderr };
}

afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

test('as a process it says where it listens, is set and asked over HTTP, and ends on SIGTERM', async () => {
  const child = launch({
    MILLRACE_SIMULATOR_PORT: '0',
    MILLRACE_HOST: '',
    MILLRACE_SIMULATOR: '{"seed":3,"apiKeys":["k"]}',
  });
  const url = await listening(child);
  const control = url.replace('/v1', '');
  const ask = (input: string) =>
    fetch(`${url}/responses`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify({ model: 'gpt-5', input, metadata: { key: input } }),
    });
  const put = (path: string, value: unknown) =>
    fetch(`${control}/simulator/${path}`, { method: 'PUT', body: JSON.stringify(value) });

  for (const path of ['healthz', 'readyz']) expect((await fetch(`${control}/${path}`)).status).toBe(200);
  expect((await fetch(`${url}/models`)).status).toBe(401);
  expect((await ask('a')).status).toBe(200);
  expect((await put('faults', [{ kind: '503', probability: 1, times: 1 }])).status).toBe(200);
  expect((await ask('b')).status).toBe(503);
  expect((await put('limits', { requestsPerMinute: 1 })).status).toBe(200);
  expect((await ask('c')).status).toBe(200);
  expect((await ask('d')).status).toBe(429);
  const lines = (await (await fetch(`${control}/simulator/ledger`)).text()).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { key: 'a', model: 'gpt-5', outcome: 'completed', delivered: true },
    { key: 'c', delivered: true },
  ]);
  const stats = await (await fetch(`${control}/simulator/stats`)).json();
  expect(stats).toMatchObject({ requests: 4, limited: 1, billed: 2, delivered: 2, inFlight: 0, faults: { '503': 1 } });
  const wrong = await put('faults', [{ kind: 'nonsense', probability: 1 }]);
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({ error: { message: expect.stringContaining('faults') } });
  expect((await put('limits', { rpm: 1 })).status).toBe(400);

  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('a taken port is one clear line that names it and what to change', async () => {
  const taken = await startSimulator();
  const { code, stderr } = await failure({ MILLRACE_SIMULATOR_PORT: String(taken.port) });
  await taken.close();
  expect(code).toBe(1);
  expect(stderr).toBe(`simulator: port ${taken.port} is taken; set MILLRACE_SIMULATOR_PORT to a free one.\n`);
});

test.each([
  [{ MILLRACE_SIMULATOR: '{' }, 'MILLRACE_SIMULATOR is no JSON'],
  [{ MILLRACE_SIMULATOR: '[]' }, 'MILLRACE_SIMULATOR must be a JSON object'],
  [{ MILLRACE_SIMULATOR: '{"sed":1}' }, 'sed'],
  [{ MILLRACE_SIMULATOR_PORT: '70x' }, 'MILLRACE_SIMULATOR_PORT is no port: 70x'],
])('a mistake in the environment is named: %j', async (environment, message) => {
  const { code, stderr } = await failure(environment);
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});
