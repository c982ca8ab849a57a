/** The roles of the stack as processes: what each runs, where it logs and what it is told by its environment. */
import { join, resolve } from 'node:path';
import { freePort } from '@millrace/queue/local-redis';
import { type Plan, simulatorUrl } from './plan.ts';
import type { Role } from './role-process.ts';

/** The repository's root: roles are run from their sources. */
export const ROOT = resolve(import.meta.dirname, '../../..');

/** What the key of a simulated upstream is called: it is sent, and never looked at. */
const SIMULATED_KEY = 'simulated';

interface RoleOptions {
  /** Below the root. */
  entry: string;
  url: string;
  /** Where it says that it can work. */
  ready?: string;
  redisUrl?: string;
  env?: Record<string, string>;
}

export function simulatorRole(plan: Plan, port: number): Role {
  return role(plan, 'simulator', {
    entry: 'packages/simulator/src/main.ts',
    url: `http://127.0.0.1:${port}`,
    ready: '/healthz',
    // It serves this stack's workers only.
    env: { MILLRACE_HOST: '127.0.0.1' },
  });
}

export function apiRole(plan: Plan, redisUrl: string): Role {
  return role(plan, 'api', { entry: 'apps/api/src/main.ts', url: plan.apiUrl, redisUrl });
}

export function dashboardRole(plan: Plan, redisUrl: string): Role {
  return role(plan, 'dashboard', { entry: 'apps/dashboard/src/main.ts', url: plan.dashboardUrl, redisUrl });
}

/**
 * The young generation. Left alone it grows by what the machine has, and a worker by 45 MiB; in a smaller one what
 * belongs to calls in flight is copied over and over: a tenth of its CPU at 8. And one helper thread of V8's instead of
 * four: a machine has other workers to do, and each thread keeps 5 MiB.
 */
const WORKER_NODE_OPTIONS = '--max-semi-space-size=32 --v8-pool-size=1';

/** `number` counts from 1. Its health port is a free one: nobody but us asks there. */
export async function workerRole(plan: Plan, redisUrl: string, number: number): Promise<Role> {
  const port = await freePort();
  return role(plan, `worker-${number}`, {
    entry: 'apps/worker/src/main.ts',
    url: `http://127.0.0.1:${port}`,
    redisUrl,
    env: {
      MILLRACE_WORKER_PORT: String(port),
      MILLRACE_HOST: '127.0.0.1',
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${WORKER_NODE_OPTIONS}`.trim(),
    },
  });
}

function role(plan: Plan, name: string, options: RoleOptions): Role {
  return {
    name,
    entry: join(ROOT, options.entry),
    logFile: join(plan.dataDir, 'logs', `${name}.log`),
    readyUrl: `${options.url}${options.ready ?? '/readyz'}`,
    env: {
      REDIS_URL: options.redisUrl,
      MILLRACE_DATA: plan.dataDir,
      // Types that were stripped once need no stripper again: roles start sooner, and each saves about 25 MiB.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(plan.dataDir, 'compile-cache'),
      MILLRACE_API_PORT: String(plan.apiPort),
      MILLRACE_DASHBOARD_PORT: String(plan.dashboardPort),
      MILLRACE_SIMULATOR_PORT: plan.simulatorPort === null ? undefined : String(plan.simulatorPort),
      MILLRACE_WORKER_PORT: undefined,
      ...(plan.simulatorPort === null
        ? {}
        : { OPENAI_BASE_URL: simulatorUrl(plan.simulatorPort), OPENAI_API_KEY: SIMULATED_KEY }),
      ...options.env,
    },
  };
}
