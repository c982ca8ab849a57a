import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { guardOrphan } from './orphan-guard.ts';

const idle = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });

test('a process whose owner is killed is ended once the grace has passed', async () => {
  const guarded = idle();
  await once(guarded, 'spawn');
  const module = pathToFileURL(join(import.meta.dirname, 'orphan-guard.ts')).href;
  const code = `import { guardOrphan } from ${JSON.stringify(module)};
    guardOrphan(${guarded.pid}, 1).on('spawn', () => console.log('guarded'));`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(owner.stdout, 'data');
  expect(guarded.exitCode ?? guarded.signalCode).toBe(null);
  const ended = once(guarded, 'exit');
  owner.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test('a guard whose process has ended already ends by itself and touches nothing', async () => {
  const guarded = idle();
  await once(guarded, 'spawn');
  const guard = guardOrphan(guarded.pid!, 30);
  guarded.kill('SIGKILL');
  await once(guarded, 'exit');
  const ended = once(guard, 'exit');
  guard.stdin?.end();
  expect(await ended).toEqual([0, null]);
});
