/**
 * The environment's settings, read once at start. An empty variable counts as unset; every fault is reported at once.
 */
import { ConfigError } from './errors.ts';

export type Role = 'operator' | 'viewer';

export interface ApiKey {
  name: string;
  role: Role;
  secret: string;
}

export interface Environment {
  redisUrl: string | null;
  configFile: string | null;
  dataDir: string;
  host: string;
  apiPort: number;
  dashboardPort: number;
  simulatorPort: number;
  /** null: no health port. */
  workerPort: number | null;
  apiKeys: readonly ApiKey[];
  logLevel: string;
  openaiApiKey: string | null;
  openaiBaseUrl: string | null;
  /** `whsec_…`; null: the configuration's, or one of our own. */
  webhookSecret: string | null;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
export const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/;
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Reads what the design names from `env`.
 * @throws ConfigError naming every variable that is wrong, and what it should be.
 */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const faults: string[] = [];
  const text = (name: string): string | null => env[name]?.trim() || null;
  const port = (name: string, otherwise: number): number => {
    const value = text(name);
    if (value === null) return otherwise;
    const number = Number(value);
    if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
    faults.push(`${name}: '${value}' is no port; give a whole number from 0 (any free port) to 65535`);
    return otherwise;
  };
  const logLevel = text('MILLRACE_LOG_LEVEL') ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) {
    faults.push(`MILLRACE_LOG_LEVEL: '${logLevel}' is no level; use one of ${LOG_LEVELS.join(', ')}`);
  }
  const redisUrl = text('REDIS_URL');
  if (redisUrl !== null && !/^(rediss?|unix):\/\//.test(redisUrl)) {
    faults.push(`REDIS_URL: it does not start with redis:// or rediss://; give e.g. redis://127.0.0.1:6379`);
  }
  const workerPort = text('MILLRACE_WORKER_PORT') === null ? null : port('MILLRACE_WORKER_PORT', 0);
  const environment: Environment = {
    redisUrl,
    configFile: text('MILLRACE_CONFIG'),
    dataDir: text('MILLRACE_DATA') ?? '.millrace',
    host: text('MILLRACE_HOST') ?? '127.0.0.1',
    apiPort: port('MILLRACE_API_PORT', 7070),
    dashboardPort: port('MILLRACE_DASHBOARD_PORT', 7071),
    simulatorPort: port('MILLRACE_SIMULATOR_PORT', 7072),
    workerPort,
    apiKeys: readApiKeys(text('MILLRACE_API_KEYS'), faults),
    logLevel,
    openaiApiKey: text('OPENAI_API_KEY'),
    openaiBaseUrl: text('OPENAI_BASE_URL'),
    webhookSecret: text('MILLRACE_WEBHOOK_SECRET'),
  };
  if (environment.webhookSecret !== null && !WEBHOOK_SECRET.test(environment.webhookSecret)) {
    faults.push('MILLRACE_WEBHOOK_SECRET: it must be whsec_ and at least 24 bytes in base64');
  }
  if (environment.apiKeys.length === 0 && !LOOPBACK.has(environment.host)) {
    faults.push(
      `MILLRACE_HOST: '${environment.host}' is reachable from outside this machine, and no key is set; ` +
        `set MILLRACE_API_KEYS (e.g. ops:operator:<a long secret>), or listen on 127.0.0.1`,
    );
  }
  if (faults.length > 0) throw new ConfigError('The environment', faults);
  return environment;
}

/** `name:role:secret,…`; a bare secret is an operator's. A fault names the key by its place, never by its secret. */
function readApiKeys(list: string | null, faults: string[]): ApiKey[] {
  const keys: ApiKey[] = [];
  for (const [index, entry] of (list ?? '').split(',').entries()) {
    const trimmed = entry.trim();
    if (trimmed === '') continue;
    const place = `MILLRACE_API_KEYS: key ${index + 1}`;
    const parts = trimmed.split(':');
    if (parts.length === 1) {
      keys.push({ name: `key-${index + 1}`, role: 'operator', secret: trimmed });
      continue;
    }
    const [name, role, ...rest] = parts;
    const secret = rest.join(':');
    if (!name || !secret) faults.push(`${place} is not of the form name:role:secret`);
    else if (role !== 'operator' && role !== 'viewer') {
      faults.push(`${place} ('${name}') has the role '${role}'; use operator or viewer`);
    } else if (keys.some((key) => key.name === name)) faults.push(`${place}: the name '${name}' is taken already`);
    else keys.push({ name, role, secret });
  }
  return keys;
}
