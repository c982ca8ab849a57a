/** Our roles as real processes: started with node directly, ready when their log says so, ended by whoever started them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '..', '..');
const READY_MS = 30_000;
const STOP_MS = 45_000;
const KEPT_LINES = 2000;

/** What the workspace's own scripts give a role. */
export const ROLE_FLAGS: Partial<Record<Role, string[]>> = { worker: ['--max-semi-space-size=32', '--v8-pool-size=1'] };

export type Role = 'api' | 'worker' | 'dashboard';

export interface RoleProcess {
  child: ChildProcess;
  /** http://127.0.0.1:<port> of its API, page or health port. */
  url: string;
  /** Every line it wrote, the newest 2,000. */
  lines: string[];
  /** SIGTERM, then the exit code. */
  stop(): Promise<number | null>;
  /** kill -9, and gone. */
  kill(): Promise<void>;
  exited: Promise<number | null>;
}

/** The environment of a role under test: nothing of the developer's own setting leaks in. */
export function roleEnvironment(env: Record<string, string>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return {
    ...(PATH === undefined ? {} : { PATH }),
    ...(HOME === undefined ? {} : { HOME }),
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    // As `start` sets it.
    NODE_COMPILE_CACHE: join(ROOT, '.millrace', 'compile-cache'),
    MILLRACE_LOG_LEVEL: 'info',
    MILLRACE_API_PORT: '0',
    MILLRACE_WORKER_PORT: '0',
    MILLRACE_DASHBOARD_PORT: '0',
    ...env,
  };
}

/**
 * Starts a role and waits until it is ready.
 * @param flags Node's and V8's
 */
export async function startRole(
  role: Role,
  env: Record<string, string>,
  flags: readonly string[] = ROLE_FLAGS[role] ?? [],
): Promise<RoleProcess> {
  const started = spawnRole(role, env, flags);
  const port = await started.ready;
  return { ...started.process, url: `http://127.0.0.1:${port}` };
}

/** Starts a role that is not expected to become ready: what it says and how it ends is the point. */
export function spawnRole(
  role: Role,
  env: Record<string, string>,
  flags: readonly string[] = ROLE_FLAGS[role] ?? [],
): { process: RoleProcess; ready: Promise<number> } {
  const child = spawn(process.execPath, [...flags, join(ROOT, 'apps', role, 'src', 'main.ts')], {
    env: roleEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: env.CWD ?? ROOT,
  });
  const lines: string[] = [];
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const ready = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${role} was not ready in time:\n${lines.join('\n')}`)), READY_MS);
    const read = (line: string): void => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      const port = readyPort(role, line);
      if (port !== null) {
        clearTimeout(timer);
        resolve(port);
      }
    };
    createInterface({ input: child.stdout }).on('line', read);
    createInterface({ input: child.stderr }).on('line', read);
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`${role} ended with ${code}:\n${lines.join('\n')}`));
    });
  });
  ready.catch(() => undefined);
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const code = await exited;
    clearTimeout(timer);
    return code;
  };
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { process: { child, url: '', lines, stop, kill, exited }, ready };
}

function readyPort(role: Role, line: string): number | null {
  if (!line.includes(`${role} ready`)) return null;
  const { port } = JSON.parse(line) as { port?: number };
  return port ?? 0;
}
