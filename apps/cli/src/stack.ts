/**
 * The parts of the stack, brought up in the order in which they need each other and taken down in the reverse one.
 * Taking down works at any moment: what has been started by then is ended, and nothing else.
 */
import { apiClient } from './api-client.ts';
import { type KeptRedis, runRedis, useRedis, withoutCredentials } from './keep-redis.ts';
import { type KeptRole, keepRole } from './keep-role.ts';
import { operatorSecret } from './operator-secret.ts';
import { type Plan, simulatorUrl } from './plan.ts';
import { beginLog, boundLogs } from './role-log.ts';
import type { Role } from './role-process.ts';
import { apiRole, dashboardRole, simulatorRole, workerRole } from './roles.ts';
import type { Screen } from './screen.ts';
import { unlessStopped } from './stop-requests.ts';

/** Open requests are answered; none takes this long. */
const STOP_MS = 12_000;
/** Beyond the grace that a worker gives its running calls: for giving back what it could not finish. */
const WORKER_STOP_MARGIN_MS = 15_000;

export interface Stack {
  /** @throws StartError when a part does not come up; the reason of `signal`. */
  up(signal: AbortSignal): Promise<void>;
  /** Ends every part that was started, one after the other; `hurry` cuts short what takes its time. */
  down(hurry: AbortSignal): Promise<void>;
  /** Resolves with the reason once the stack cannot do its work any more. */
  broken: Promise<string>;
}

export function createStack(plan: Plan, screen: Screen): Stack {
  const { shownDataDir, config, environment } = plan;
  /** In the order of starting. */
  const parts: { name: string; roles: KeptRole[]; stopMs: number }[] = [];
  const logFiles: string[] = [];
  let redis: KeptRedis | undefined;
  let logs: { close(): void } | undefined;
  const later = (line: string) => screen.line(screen.style('yellow', `  ${line}`));
  let reportBroken: (reason: string) => void = () => {};
  const broken = new Promise<string>((done) => {
    reportBroken = done;
  });

  const begin = (name: string, roles: Role[], stopMs: number): KeptRole[] => {
    for (const { logFile } of roles) {
      beginLog(logFile);
      logFiles.push(logFile);
    }
    const kept = roles.map((role) => keepRole(role, later));
    parts.push({ name, roles: kept, stopMs });
    Promise.all(kept.map((role) => role.givenUp)).then(() => reportBroken(`the ${name} died too often`));
    return kept;
  };
  const settle = async (name: string, kept: KeptRole[], detail: string, signal: AbortSignal): Promise<void> => {
    screen.part(name, 'starting');
    await unlessStopped(Promise.all(kept.map((role) => role.ready)), signal);
    screen.part(name, 'ready', detail);
  };

  const up = async (signal: AbortSignal): Promise<void> => {
    screen.part('redis', 'starting');
    const tell = (line: string) => screen.line(screen.style('dim', `  ${line}`));
    redis =
      environment.redisUrl === null
        ? await runRedis(plan.dataDir, shownDataDir, { tell, later, signal })
        : await useRedis(environment.redisUrl);
    screen.part('redis', 'ready', redis.detail);
    signal.throwIfAborted();

    const { simulatorPort } = plan;
    const simulator = simulatorPort === null ? null : begin('simulator', [simulatorRole(plan, simulatorPort)], STOP_MS);
    const api = begin('api', [apiRole(plan, redis.url)], STOP_MS);
    const dashboard = begin('dashboard', [dashboardRole(plan, redis.url)], STOP_MS);
    logs = boundLogs(logFiles);
    if (simulator !== null && simulatorPort !== null) {
      const caution = 'answers are simulated: set OPENAI_API_KEY or OPENAI_BASE_URL for real ones';
      await settle(
        'simulator',
        simulator,
        `${simulatorUrl(simulatorPort)}   ${screen.style('yellow', caution)}`,
        signal,
      );
    } else screen.part('upstream', 'ready', upstreams(plan));
    await settle('api', api, plan.apiUrl, signal);

    // Counted before the first worker takes one of them.
    const left = await apiClient(plan.apiUrl, operatorSecret(environment), signal).countUnfinished();
    const roles = await Promise.all(
      Array.from({ length: plan.workers }, (_, index) => workerRole(plan, redis?.url ?? '', index + 1)),
    );
    signal.throwIfAborted();
    const workers = begin('workers', roles, config.worker.graceSeconds * 1000 + WORKER_STOP_MARGIN_MS);
    await settle('workers', workers, String(plan.workers), signal);
    await settle('dashboard', dashboard, plan.dashboardUrl, signal);
    if (left.waiting + left.active > 0) screen.line(foundJobs(left));
  };

  const down = async (hurry: AbortSignal): Promise<void> => {
    const killAll = () => {
      for (const role of parts.flatMap((part) => part.roles)) role.kill();
    };
    if (hurry.aborted) killAll();
    hurry.addEventListener('abort', killAll);
    for (const name of ['dashboard', 'api', 'workers', 'simulator']) {
      const part = parts.find((started) => started.name === name);
      if (part === undefined) continue;
      screen.part(name, 'stopping');
      const clean = await Promise.all(part.roles.map((role) => role.stop(part.stopMs)));
      const forced = clean.every(Boolean) ? '' : 'ended by force: it took too long';
      screen.part(name, 'stopped', hurry.aborted ? 'at once, as you asked' : forced);
    }
    if (redis !== undefined) {
      await redis.stop();
      if (environment.redisUrl === null) screen.part('redis', 'stopped', `its data stay in ${shownDataDir}/redis`);
    }
    hurry.removeEventListener('abort', killAll);
    logs?.close();
  };
  return { up, down, broken };
}

function foundJobs({ waiting, active }: { waiting: number; active: number }): string {
  const total = waiting + active;
  const jobs = total === 1 ? '1 job' : `${total} jobs`;
  return `\n  found ${jobs} that an earlier run left (${waiting} waiting, ${active} begun): the workers go on with them`;
}

function upstreams({ config }: Plan): string {
  const urls = new Set(Object.values(config.upstreams).map((upstream) => withoutCredentials(upstream.baseURL)));
  return [...urls].join(', ');
}
