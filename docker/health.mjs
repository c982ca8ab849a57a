/** The container's health: its role's /healthz. */
import { readFileSync } from 'node:fs';

const { env } = process;
const ports = {
  api: env.MILLRACE_API_PORT || 7070,
  dashboard: env.MILLRACE_DASHBOARD_PORT || 7071,
  simulator: env.MILLRACE_SIMULATOR_PORT || 7072,
  worker: env.MILLRACE_WORKER_PORT || 7073,
};
const role = readFileSync('/tmp/millrace-role', 'utf8').trim();
const response = await fetch(`http://127.0.0.1:${ports[role]}/healthz`, { signal: AbortSignal.timeout(2000) });
process.exit(response.ok ? 0 : 1);
