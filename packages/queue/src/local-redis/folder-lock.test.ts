import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { FolderInUseError, lockFolder } from './folder-lock.ts';
import { processIdentity } from './process-identity.ts';

const base = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
let folders = 0;
const lockFile = () => join(base, String(++folders), 'start.lock');

afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Runs `code` (which may use `lockFolder`) in a process of its own; resolves with what it wrote and its exit code. */
async function inProcess(code: string): Promise<{ out: string; code: number | null; pid: number }> {
  const module = pathToFileURL(join(import.meta.dirname, 'folder-lock.ts')).href;
  const script = `import { lockFolder } from ${JSON.stringify(module)};\n${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { out, code: exitCode, pid: child.pid! };
}

describe('a folder lock', () => {
  test('refuses a second holder and names the process that holds it', () => {
    const file = lockFile();
    const lock = lockFolder(file);
    expect(() => lockFolder(file)).toThrow(FolderInUseError);
    expect(() => lockFolder(file)).toThrow(String(process.pid));
    lock.release();
    lockFolder(file).release();
    expect(existsSync(file)).toBe(false);
  });

  test('of a process that was killed is taken over', async () => {
    const file = lockFile();
    const crashed = await inProcess(`lockFolder(${JSON.stringify(file)}); process.kill(process.pid, 'SIGKILL');`);
    expect(crashed.code).toBe(null);
    expect(readFileSync(file, 'utf8')).toContain(String(crashed.pid));
    lockFolder(file).release();
  });

  test('is taken over when its process id has since been given to another process', () => {
    const file = lockFile();
    lockFolder(file).release();
    writeFileSync(file, JSON.stringify({ pid: process.pid, identity: 'an earlier boot 1', token: 'x' }));
    lockFolder(file).release();
  });

  test('is taken over when the file holds anything but a lock', () => {
    const file = lockFile();
    lockFolder(file).release();
    writeFileSync(file, '{"pid":');
    lockFolder(file).release();
  });

  test('released twice does not take away the lock of the next holder', () => {
    const file = lockFile();
    const first = lockFolder(file);
    first.release();
    const second = lockFolder(file);
    first.release();
    expect(existsSync(file)).toBe(true);
    second.release();
  });

  test('left by a dead process goes to exactly one of several that want it at once', async () => {
    const file = lockFile();
    await inProcess(`lockFolder(${JSON.stringify(file)}); process.kill(process.pid, 'SIGKILL');`);
    // Whoever gets it holds it until every other has been refused: nobody ends before all have tried.
    const contender = `
      import { readdirSync, writeFileSync } from 'node:fs';
      let got = 'refused';
      try { lockFolder(${JSON.stringify(file)}); got = 'held'; } catch (error) { if (error.name !== 'FolderInUseError') throw error; }
      writeFileSync(${JSON.stringify(`${file}-tried-`)} + process.pid, '');
      const started = Date.now();
      const tried = () => readdirSync(${JSON.stringify(join(file, '..'))}).filter((name) => name.includes('-tried-')).length;
      const timer = setInterval(() => {
        if (tried() < 6 && Date.now() - started < 20000) return;
        clearInterval(timer);
        process.stdout.write(got);
      }, 10);`;
    const results = await Promise.all(Array.from({ length: 6 }, () => inProcess(contender)));
    expect(results.map((result) => result.out).sort()).toEqual(['held', ...Array(5).fill('refused')]);
  });
});

describe('a process identity', () => {
  test('is stable for a living process and absent for one that has ended', async () => {
    expect(processIdentity(process.pid)).toBe(processIdentity(process.pid));
    expect(processIdentity(process.pid)).toBeTruthy();
    const ended = await inProcess('');
    expect(processIdentity(ended.pid)).toBe(null);
  });

  test('of what is no process id is absent', () => {
    for (const pid of [0, -1, Number.NaN, 1.5]) expect(processIdentity(pid)).toBe(null);
  });
});
