import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '@millrace/queue/local-redis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type KeptRole, keepRole } from './keep-role.ts';
import type { Role } from './role-process.ts';

let folder: string;
const kept: KeptRole[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-role-'));
});
afterEach(async () => {
  await Promise.all(kept.splice(0).map((role) => role.stop(5000)));
  rmSync(folder, { recursive: true, force: true });
});

/** A role whose program is `code`; `serve()` there answers its readiness and ends on SIGTERM. */
async function role(code: string): Promise<Role> {
  const port = await freePort();
  const entry = join(folder, 'role.mjs');
  const serve = `import { createServer } from 'node:http';
    import { appendFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(join(folder, 'starts'))}, process.pid + '\\n');
    const serve = () => createServer((_, response) => response.end()).listen(${port}, '127.0.0.1');`;
  writeFileSync(entry, `${serve}\n${code}`);
  return {
    name: 'role',
    entry,
    env: {},
    logFile: join(folder, 'role.log'),
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  };
}

const starts = () => readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n').map(Number);
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    // No such process.
    return false;
  }
};

function keep(what: Role, told: string[] = []): KeptRole {
  const running = keepRole(what, (line) => told.push(line));
  kept.push(running);
  return running;
}

test('a role that ends at its start is a fault that shows the end of its log', async () => {
  const running = keep(await role(`console.error('the port is taken'); process.exit(3);`));
  await expect(running.ready).rejects.toThrow(/role ended at its start \(exit code 3\).*\n\nthe port is taken$/s);
});

test('a role that dies later is started again, and both are told in one line', async () => {
  const told: string[] = [];
  const running = keep(await role('serve();'), told);
  await running.ready;
  process.kill(starts()[0]!, 'SIGKILL');
  await vi.waitFor(() => expect(told).toContain('role is back'), { timeout: 10_000 });
  expect(told).toEqual(['role ended (SIGKILL); starting it again in 1 s', 'role is back']);
  expect(starts()).toHaveLength(2);
}, 20_000);

test('a role that is stopped is not started again', async () => {
  const told: string[] = [];
  const running = keep(await role('serve();'), told);
  await running.ready;
  expect(await running.stop(5000)).toBe(true);
  expect(told).toEqual([]);
  expect(isAlive(starts()[0]!)).toBe(false);
});

test('a role that is stopped while it waits to be started again stays stopped', async () => {
  const told: string[] = [];
  const running = keep(await role('serve();'), told);
  await running.ready;
  process.kill(starts()[0]!, 'SIGKILL');
  await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 5000 });
  await running.stop(5000);
  expect(starts()).toHaveLength(1);
});

test('a role that does not stop is ended by force when its time is up', async () => {
  const running = keep(await role(`process.on('SIGTERM', () => {}); serve();`));
  await running.ready;
  expect(await running.stop(200)).toBe(false);
  expect(isAlive(starts()[0]!)).toBe(false);
});

test('a role does not outlive an owner that is killed', async () => {
  const what = await role('serve();');
  const module = pathToFileURL(join(import.meta.dirname, 'keep-role.ts')).href;
  const code = `import { keepRole } from ${JSON.stringify(module)};
    const role = keepRole(${JSON.stringify(what)}, () => {});
    await role.ready;
    console.log('up');`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(owner.stdout, 'data');
  const [pid] = starts();
  expect(isAlive(pid!)).toBe(true);
  const gone = once(owner, 'exit');
  owner.kill('SIGKILL');
  await gone;
  await vi.waitFor(() => expect(isAlive(pid!)).toBe(false), { timeout: 10_000 });
  expect(existsSync(what.logFile)).toBe(true);
});
