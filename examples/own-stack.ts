/**
 * A stack of the example's own: `start --no-demo` on free ports, with a data folder and the configuration of that example.
 * It ends when it is told to, and does not outlive the process that started it.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const CLI = resolve(import.meta.dirname, '../apps/cli/src');
const FOLLOW_PARENT = pathToFileURL(join(CLI, 'follow-parent.ts')).href;
const LOOK_EVERY_MS = 100;
const TAIL_CHARACTERS = 2000;

export interface OwnStack {
  url: string;
  /** Resolves once it takes jobs. @throws Error with the end of its log, when it ended instead */
  ready: Promise<void>;
  /** Rejects when it ends without having been told to. */
  broken: Promise<never>;
  /** Asks it to end; asked again, it hurries. Resolves when all of it is gone. */
  stop(): Promise<void>;
}

/** @param data its folder: Redis's data, logs, what tools keep */
export async function startOwnStack(data: string, configFile: string, signal: AbortSignal): Promise<OwnStack> {
  mkdirSync(data, { recursive: true });
  const logFile = join(data, 'start.log');
  const log = openSync(logFile, 'w');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    process.execPath,
    ['--import', FOLLOW_PARENT, join(CLI, 'main.ts'), 'start', '--no-demo', '--workers', '1'],
    {
      // Ctrl-C is for the example, which then tells its stack.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
      env: {
        ...process.env,
        MILLRACE_CONFIG: configFile,
        MILLRACE_DATA: data,
        MILLRACE_API_PORT: String(port),
        MILLRACE_DASHBOARD_PORT: '0',
        MILLRACE_SIMULATOR_PORT: '0',
        // It serves this example only.
        MILLRACE_HOST: '127.0.0.1',
        MILLRACE_API_KEYS: '',
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? resolve(data, '../../compile-cache'),
      },
    },
  );
  closeSync(log);
  let ended = false;
  const exited = new Promise<string>((done) => {
    child.once('error', (error) => done(error.message));
    child.once('exit', (code, how) => done(how ?? `exit code ${code}`));
  });
  void exited.then(() => {
    ended = true;
  });
  let stopping = false;
  const broken = exited.then((how): never => {
    const words = readFileSync(logFile, 'utf8').trim().slice(-TAIL_CHARACTERS);
    throw new Error(stopping ? 'the stack was stopped' : `the stack ended (${how}):\n${words}`);
  });
  // Raced by whoever uses the stack; nobody does once it is being stopped.
  broken.catch(() => undefined);
  const answers = async (): Promise<void> => {
    for (;;) {
      const response = await fetch(`${url}/readyz`, { signal }).catch(() => null);
      if (response?.ok) return;
      if (ended) return;
      await pause(LOOK_EVERY_MS, undefined, { signal });
    }
  };
  const ready = Promise.race([answers(), broken]);
  return {
    ...{ url, ready, broken },
    stop: async () => {
      stopping = true;
      if (!ended) child.kill('SIGTERM');
      await exited;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
