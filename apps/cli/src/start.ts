/**
 * `start`: the whole stack on one machine, until it is told to stop. Whatever happens on the way, everything that was
 * started is ended, in order, and the exit code says how it went.
 */
import { join } from 'node:path';
import { ConfigError, readEnvironment, StartError } from '@millrace/core';
import { FolderInUseError, type FolderLock, lockFolder } from '@millrace/queue/local-redis';
import { apiClient } from './api-client.ts';
import { runDemo } from './demo/demo.ts';
import { DEMO_QUEUE } from './demo/extraction.ts';
import { withoutCredentials } from './keep-redis.ts';
import { operatorSecret } from './operator-secret.ts';
import { makePlan, type Plan } from './plan.ts';
import { ROOT } from './roles.ts';
import { openScreen, type Screen } from './screen.ts';
import { createStack, type Stack } from './stack.ts';
import { listenForStop, StopRequested, type StopRequests, unlessStopped } from './stop-requests.ts';

export interface StartOptions {
  demo: boolean;
  once: boolean;
  workers: number;
}

const OK = 0;
const FAILED = 1;
/** What a shell reports of a program that Ctrl-C has ended: with --once, the work was not done. */
const INTERRUPTED = 130;

/**
 * Runs the stack and returns the exit code.
 * @throws StartError or ConfigError when it cannot be started; then nothing is left running.
 */
export async function start(options: StartOptions, version: string): Promise<number> {
  const screen = openScreen(process.stdout);
  const requests = listenForStop();
  screen.line(`${screen.style('bold', 'millrace')} ${version}`);
  try {
    const environment = readEnvironment();
    const lock = lockDataFolder(environment.dataDir);
    try {
      const plan = await makePlan(environment, options.workers);
      return await runStack(plan, options, screen, requests);
    } finally {
      lock.release();
    }
  } catch (error) {
    if (error instanceof StopRequested) return options.once ? INTERRUPTED : OK;
    throw error;
  } finally {
    requests.close();
  }
}

function lockDataFolder(dataDir: string): FolderLock {
  try {
    return lockFolder(join(dataDir, 'start.lock'));
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    throw new StartError(
      `A stack runs on ${dataDir} already (process ${error.pid}). Stop it first, or give this one a folder of its own ` +
        'with MILLRACE_DATA, and ports of its own with MILLRACE_API_PORT, MILLRACE_DASHBOARD_PORT and ' +
        'MILLRACE_SIMULATOR_PORT.',
    );
  }
}

async function runStack(plan: Plan, options: StartOptions, screen: Screen, requests: StopRequests): Promise<number> {
  const stack = createStack(plan, screen);
  let code = FAILED;
  try {
    await stack.up(requests.stop);
    code = await work(plan, options, stack, screen, requests.stop);
  } catch (error) {
    // Said before the parts are ended, so that the reason stands where it belongs.
    if (!(error instanceof StopRequested)) screen.line(`\n${screen.style('red', describeFault(error))}`);
    else code = options.once ? INTERRUPTED : OK;
  } finally {
    screen.line();
    await stack.down(requests.hurry);
  }
  return code;
}

/** What is done with a stack that is up. Ends when it is told to, with --once by itself. */
async function work(
  plan: Plan,
  options: StartOptions,
  stack: Stack,
  screen: Screen,
  stop: AbortSignal,
): Promise<number> {
  const broken = stack.broken.then((reason): never => {
    throw new StartError(reason);
  });
  // Reported where it is raced; a stack that breaks while it is taken down is being ended anyway.
  broken.catch(() => {});
  let demo = { ok: true, exampleJob: null as string | null };
  if (options.demo) demo = await Promise.race([demonstrate(plan, screen, stop), broken]);
  if (options.once) return demo.ok ? OK : FAILED;
  sayWhatNext(plan, demo.exampleJob, screen);
  await unlessStopped(broken, stop);
  return OK;
}

async function demonstrate(plan: Plan, screen: Screen, stop: AbortSignal) {
  const queue = plan.config.queues[DEMO_QUEUE];
  if (queue === undefined) {
    const names = Object.keys(plan.config.queues).join(', ');
    screen.line(`\n  no demo: it needs a queue named '${DEMO_QUEUE}', and there is ${names}`);
    return { ok: false, exampleJob: null };
  }
  if (plan.environment.apiKeys.length > 0 && !plan.environment.apiKeys.some((key) => key.role === 'operator')) {
    screen.line("\n  no demo: MILLRACE_API_KEYS holds no operator's key, and viewers submit nothing");
    return { ok: false, exampleJob: null };
  }
  const baseUrl = plan.config.upstreams[queue.upstream]?.baseURL ?? '';
  const model = queue.model ?? 'the first model it lists';
  return await runDemo({
    root: ROOT,
    folder: join(plan.dataDir, 'demo'),
    shownFolder: join(plan.shownDataDir, 'demo'),
    api: apiClient(plan.apiUrl, operatorSecret(plan.environment), stop),
    screen,
    stream: process.stdout,
    signal: stop,
    origin: {
      simulated: plan.simulatorPort !== null,
      upstream: plan.simulatorPort === null ? `${withoutCredentials(baseUrl)} (${model})` : 'the simulator',
    },
  });
}

function sayWhatNext(plan: Plan, exampleJob: string | null, screen: Screen): void {
  const key = plan.environment.apiKeys.length > 0 ? " -H 'Authorization: Bearer <an operator key>'" : '';
  const line = (name: string, text: string) => screen.line(`  ${name.padEnd(11)} ${text}`);
  screen.line();
  line('look', plan.dashboardUrl);
  if (exampleJob !== null) line('one job', `curl -s${key} ${plan.apiUrl}/v1/jobs/${exampleJob}`);
  line(
    'submit',
    `curl -s${key} ${plan.apiUrl}/v1/jobs -H 'Content-Type: application/json' ` +
      `-d '{"type":"generate","request":{"input":"Say hello."}}'`,
  );
  line('logs', join(plan.shownDataDir, 'logs'));
  screen.line(`\n  ${screen.style('dim', 'Ctrl-C stops everything; jobs that wait are kept.')}`);
}

function describeFault(error: unknown): string {
  if (error instanceof StartError || error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
