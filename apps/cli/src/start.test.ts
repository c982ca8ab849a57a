import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, lockFolder } from '@millrace/queue/local-redis';
import { afterEach, beforeEach, expect, test } from 'vitest';

let dataDir: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-start-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

/** What the command says and how it ends. */
async function millrace(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      MILLRACE_DATA: dataDir,
      MILLRACE_API_PORT: '0',
      MILLRACE_DASHBOARD_PORT: '0',
      MILLRACE_SIMULATOR_PORT: '0',
      ...env,
    },
  });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

test('a second start on the same folder is refused and names the first', async () => {
  const lock = lockFolder(join(dataDir, 'start.lock'));
  const { code, said } = await millrace(['start', '--no-demo']);
  lock.release();
  expect(code).toBe(1);
  expect(said).toContain(`process ${process.pid}`);
  expect(said).toContain('MILLRACE_DATA');
  expect(readdirSync(dataDir)).toEqual([]);
});

test('a taken port is told, nothing is started, and the folder is given back', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { code, said } = await millrace(['start'], { MILLRACE_DASHBOARD_PORT: String(port) });
  server.close();
  expect(code).toBe(1);
  expect(said).toContain(`dashboard: port ${port}`);
  expect(said).toContain('MILLRACE_DASHBOARD_PORT');
  expect(readdirSync(dataDir)).toEqual([]);
});

test('a REDIS_URL where nobody answers is told, without the password in it', async () => {
  const port = await freePort();
  const { code, said } = await millrace(['start', '--once'], { REDIS_URL: `redis://me:secret@127.0.0.1:${port}` });
  expect(code).toBe(1);
  expect(said).toContain(`REDIS_URL: nobody answers at redis://127.0.0.1:${port} (ECONNREFUSED)`);
  expect(said).not.toContain('secret');
});

test('every fault of the environment is told at once', async () => {
  const { code, said } = await millrace(['start'], { MILLRACE_API_PORT: 'seven', MILLRACE_LOG_LEVEL: 'loud' });
  expect(code).toBe(1);
  expect(said).toContain('MILLRACE_API_PORT');
  expect(said).toContain('MILLRACE_LOG_LEVEL');
  expect(said).not.toContain('    at ');
});

test('a number of workers that is none is refused', async () => {
  for (const workers of ['0', 'two', '1.5', '1000']) {
    const { code, said } = await millrace(['start', '--workers', workers]);
    expect(code).not.toBe(0);
    expect(said).toContain('whole number from 1 to 64');
  }
});
