/**
 * The configuration, found, validated and resolved: after `loadConfig` every queue names an upstream and a limit that
 * exist, and every schema is one that strict mode takes. All faults are reported at once, with their paths.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import {
  type ConfigInput,
  configSchema,
  type LimitConfig,
  type ParsedConfig,
  type QueueConfig,
  type UpstreamConfig,
} from './config-schema.ts';
import type { Environment } from './environment.ts';
import { ConfigError } from './errors.ts';
import { queueTag } from './job-id.ts';
import { type NamedSchema, namedSchema } from './named-schema.ts';

export interface Config {
  /** Where it came from, for messages. */
  source: string;
  upstreams: Readonly<Record<string, UpstreamConfig>>;
  limits: Readonly<Record<string, LimitConfig>>;
  queues: Readonly<Record<string, QueueConfig>>;
  worker: ParsedConfig['worker'];
  schemas: Readonly<Record<string, NamedSchema>>;
  tools: ParsedConfig['tools'];
  prices: ParsedConfig['prices'];
  retention: ParsedConfig['retention'];
  files: ParsedConfig['files'];
  webhooks: ParsedConfig['webhooks'];
  batches: ParsedConfig['batches'];
  /** false: nothing is passed through. */
  passThrough: ParsedConfig['passThrough'];
  audit: ParsedConfig['audit'];
}

const FILE_NAMES = ['millrace.config.ts', 'millrace.config.json'];
const OPENAI_BASE_URL = 'https://api.openai.com/v1';
/** The model of the two standing queues when the upstream is OpenAI's own and no file says otherwise. */
const OPENAI_MODEL = 'gpt-5-mini';

/**
 * Loads the file that `MILLRACE_CONFIG` names, else `millrace.config.ts` or `.json` of the working directory, else the
 * defaults: one upstream from the environment, the queues `generate` and `extract`, one limit to be learned.
 * @throws ConfigError with every fault and its path.
 */
export async function loadConfig(environment: Environment, cwd = process.cwd()): Promise<Config> {
  const file = findConfigFile(environment, cwd);
  const input = file === null ? {} : await readConfigFile(file);
  return resolveConfig(input, environment, file ?? 'The default configuration');
}

/**
 * The file that `loadConfig` reads, or null where there is none.
 * @throws ConfigError where the one that is named is not there
 */
export function findConfigFile(environment: Environment, cwd = process.cwd()): string | null {
  if (environment.configFile !== null) {
    const file = resolve(cwd, environment.configFile);
    if (existsSync(file)) return file;
    throw new ConfigError('MILLRACE_CONFIG', [`no file at ${file}`]);
  }
  return FILE_NAMES.map((name) => resolve(cwd, name)).find((file) => existsSync(file)) ?? null;
}

/**
 * What a file says, not checked yet.
 * @param version of a module that was imported before, and may say something else now
 * @throws ConfigError
 */
export async function readConfigFile(file: string, version?: string): Promise<unknown> {
  try {
    if (extname(file) === '.json') return JSON.parse(await readFile(file, 'utf8'));
    const module: { default?: unknown } = await import(
      version === undefined ? pathToFileURL(file).href : `${pathToFileURL(file).href}?v=${encodeURIComponent(version)}`
    );
    if (module.default === undefined)
      throw new Error('it has no default export; write export default defineConfig({…})');
    return module.default;
  } catch (error) {
    throw new ConfigError(file, [error instanceof Error ? error.message : String(error)]);
  }
}

/**
 * Validates and completes a configuration object.
 * @throws ConfigError with every fault and its path.
 */
export function resolveConfig(input: unknown, environment: Environment, source = 'The configuration'): Config {
  const parsed = configSchema.safeParse(input);
  const faults = parsed.success ? [] : parsed.error.issues.map(describeIssue);
  const schemas: Record<string, NamedSchema> = {};
  const given = isRecord(input) && isRecord(input.schemas) ? input.schemas : {};
  for (const [name, definition] of Object.entries(given)) {
    const schema = namedSchema(name, definition);
    if ('fault' in schema) faults.push(`schemas.${name}${schema.fault}`);
    else schemas[name] = schema;
  }
  if (!parsed.success) throw new ConfigError(source, faults);

  const upstreams = parsed.data.upstreams ?? { default: defaultUpstream(environment) };
  for (const upstream of Object.values(upstreams)) {
    if (upstream.apiKey === undefined && environment.openaiApiKey !== null) upstream.apiKey = environment.openaiApiKey;
  }
  const limits = parsed.data.limits ?? { default: { burstSeconds: 1, models: [] } };
  const queues: Record<string, QueueConfig> = {};
  const givenQueues = parsed.data.queues ?? standingQueues(upstreams);
  for (const [name, queue] of Object.entries(givenQueues)) {
    const upstream = nameIn(upstreams, queue.upstream, `queues.${name}.upstream`, faults);
    const limit = nameIn(limits, queue.limit, `queues.${name}.limit`, faults);
    queues[name] = { ...queue, upstream, limit };
  }
  const tags = new Map<string, string>();
  for (const name of Object.keys(queues)) {
    const twin = tags.get(queueTag(name));
    if (twin !== undefined) faults.push(`queues.${name}: its ids cannot be told from those of '${twin}'; rename one`);
    tags.set(queueTag(name), name);
  }
  if (faults.length > 0) throw new ConfigError(source, faults);
  return {
    source,
    upstreams,
    limits,
    queues,
    worker: parsed.data.worker,
    schemas,
    tools: parsed.data.tools,
    prices: parsed.data.prices,
    retention: parsed.data.retention,
    files: parsed.data.files,
    batches: parsed.data.batches,
    passThrough: parsed.data.passThrough,
    webhooks: withSecret(parsed.data.webhooks, environment),
    audit: parsed.data.audit,
  };
}

function withSecret(webhooks: ParsedConfig['webhooks'], { webhookSecret }: Environment): ParsedConfig['webhooks'] {
  return webhooks.secret !== undefined || webhookSecret == null ? webhooks : { ...webhooks, secret: webhookSecret };
}

/** The name given, or the only one there is. */
function nameIn(among: object, given: string | undefined, path: string, faults: string[]): string {
  const names = Object.keys(among);
  if (given === undefined) {
    if (names.length === 1 && names[0] !== undefined) return names[0];
    faults.push(`${path}: is missing, and there is more than one to choose from: ${names.join(', ')}`);
    return '';
  }
  if (!names.includes(given)) faults.push(`${path}: '${given}' is not defined; there is ${names.join(', ') || 'none'}`);
  return given;
}

function defaultUpstream(environment: Environment): UpstreamConfig {
  return configSchema.shape.upstreams.unwrap().parse({
    default: { baseURL: environment.openaiBaseUrl ?? OPENAI_BASE_URL },
  }).default as UpstreamConfig;
}

function standingQueues(upstreams: Record<string, UpstreamConfig>): NonNullable<ParsedConfig['queues']> {
  const only = Object.values(upstreams)[0];
  const model = only?.baseURL.replace(/\/$/, '') === OPENAI_BASE_URL ? { model: OPENAI_MODEL } : {};
  return configSchema.shape.queues.unwrap().parse({ generate: model, extract: model });
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.') || '(root)';
  if (issue.code === 'unrecognized_keys') {
    return `${path === '(root)' ? '' : `${path}.`}${issue.keys.join(', ')}: there is no such key`;
  }
  return `${path}: ${issue.message}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export type { ConfigInput };
