/**
 * What is to be started, decided before anything is: the configuration is read, the ports are free, and it is known
 * whether answers will be real.
 */
import { relative, resolve } from 'node:path';
import { type Config, type Environment, loadConfig, StartError } from '@millrace/core';
import { settlePorts } from './ports.ts';

export interface Plan {
  environment: Environment;
  config: Config;
  dataDir: string;
  /** As people read it: relative where that is shorter. */
  shownDataDir: string;
  workers: number;
  apiPort: number;
  dashboardPort: number;
  /** null: a real upstream is configured. */
  simulatorPort: number | null;
  /** How a program of this machine reaches the API and the dashboard. */
  apiUrl: string;
  dashboardUrl: string;
}

const LOOPBACK = '127.0.0.1';
const EVERY_ADDRESS = new Set(['0.0.0.0', '::', '[::]', '*']);

/** @throws StartError or ConfigError with everything that stands in the way. */
export async function makePlan(environment: Environment, workers: number): Promise<Plan> {
  const dataDir = resolve(environment.dataDir);
  const fromHere = relative(process.cwd(), dataDir);
  const simulated = await wantsSimulator(environment);
  const ports = await settlePorts(environment.host, [
    { part: 'api', variable: 'MILLRACE_API_PORT', port: environment.apiPort },
    { part: 'dashboard', variable: 'MILLRACE_DASHBOARD_PORT', port: environment.dashboardPort },
    ...(simulated ? [{ part: 'simulator', variable: 'MILLRACE_SIMULATOR_PORT', port: environment.simulatorPort }] : []),
  ]);
  const port = (part: string): number => {
    const settled = ports.get(part);
    if (settled === undefined) throw new StartError(`no port was settled for the ${part}`);
    return settled;
  };
  const simulatorPort = simulated ? port('simulator') : null;
  return {
    environment,
    config: await loadConfig(
      simulatorPort === null ? environment : { ...environment, openaiBaseUrl: simulatorUrl(simulatorPort) },
    ),
    dataDir,
    shownDataDir: fromHere !== '' && !fromHere.startsWith('..') ? fromHere : dataDir,
    workers,
    apiPort: port('api'),
    dashboardPort: port('dashboard'),
    simulatorPort,
    apiUrl: `http://${reachable(environment.host)}:${port('api')}`,
    dashboardUrl: `http://${reachable(environment.host)}:${port('dashboard')}`,
  };
}

/** The base URL under which the simulator stands in for OpenAI. */
export function simulatorUrl(port: number): string {
  return `http://${LOOPBACK}:${port}/v1`;
}

/**
 * True when neither the environment nor a configuration file names an upstream. A file that names some keeps them
 * whatever the environment says, and that is what is looked at: whether another base URL would reach every upstream.
 */
async function wantsSimulator(environment: Environment): Promise<boolean> {
  if (environment.openaiApiKey !== null || environment.openaiBaseUrl !== null) return false;
  const openaiBaseUrl = simulatorUrl(environment.simulatorPort);
  const { upstreams } = await loadConfig({ ...environment, openaiBaseUrl });
  return Object.values(upstreams).every((upstream) => upstream.baseURL === openaiBaseUrl);
}

function reachable(host: string): string {
  if (EVERY_ADDRESS.has(host)) return LOOPBACK;
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
