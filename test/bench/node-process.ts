/** A script of the benchmarks as a process: ready at its first line, ended by whoever started it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { roleEnvironment } from '../harness/processes.ts';

const READY_MS = 30_000;

export interface NodeProcess {
  child: ChildProcess;
  /** kill -9, and gone. */
  kill(): Promise<void>;
}

/**
 * Starts a script and waits for its first line on stdout.
 * @throws when it ends before, or says nothing in time
 */
export async function startNodeProcess(
  script: string,
  env: Record<string, string>,
  flags: readonly string[] = [],
): Promise<NodeProcess> {
  const child = spawn(process.execPath, [...flags, script], {
    env: roleEnvironment(env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const ended = exited.then(([code]) => {
    throw new Error(`${script} ended with ${code} before it was ready`);
  });
  // Whoever is ready ends later, and nobody asks any more.
  ended.catch(() => undefined);
  try {
    await Promise.race([once(child.stdout, 'data', { signal: AbortSignal.timeout(READY_MS) }), ended]);
  } catch (error) {
    await kill();
    throw error;
  }
  child.stdout.resume();
  return { child, kill };
}
