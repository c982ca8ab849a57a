/** The simulator as a process of its own, so that its work is on nobody else's bill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SimulatorOptions } from '@millrace/simulator';
import { roleEnvironment } from '../harness/processes.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'simulator', 'src', 'main.ts');

export interface SimulatorProcess {
  /** The base URL for a client. */
  url: string;
  /** SIGTERM, and gone. */
  stop(): Promise<void>;
}

/** Starts it on a free port. @throws when it says anything but where it listens. */
export async function startSimulatorProcess(options: SimulatorOptions): Promise<SimulatorProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: roleEnvironment({ MILLRACE_SIMULATOR_PORT: '0', MILLRACE_SIMULATOR: JSON.stringify(options) }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  // Its end before its first line is an answer, too: waiting for the line alone would wait for ever.
  const [line] = (await Promise.race([once(child.stdout, 'data'), exited])) as [unknown];
  const url = /http:\S+/.exec(String(line))?.[0];
  if (url === undefined) {
    child.kill('SIGKILL');
    throw new Error(`the simulator said: ${line}`);
  }
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
