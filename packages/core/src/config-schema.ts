/**
 * The configuration file's shape: every key, its bounds and its default. Unknown keys are faults, so a typo never
 * silently means the default.
 */
import { z } from 'zod';
import { WEBHOOK_SECRET } from './environment.ts';
import { DEFAULT_PRIORITY, HIGHEST_PRIORITY, LOWEST_PRIORITY } from './job.ts';
import { isAddressRange } from './public-address.ts';
import { isTool, type Tool } from './tool.ts';

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'is no name: use letters, digits, "_", "-" and ".", at most 64');

const seconds = z.number().positive().max(31_536_000);

const share = z.number().min(0).max(1);

const upstream = z.strictObject({
  baseURL: z.url({ protocol: /^https?$/, error: 'is no http:// or https:// URL' }),
  /** Absent: OPENAI_API_KEY, else none is sent. */
  apiKey: z.string().min(1).optional(),
  background: z.enum(['auto', 'on', 'off']).default('auto'),
  extraFields: z.array(z.string().min(1)).default([]),
  /** Whether requests that name no `prompt_cache_key` get one of their prefix. */
  promptCacheKey: z.boolean().default(true),
  connectSeconds: seconds.default(10),
  idleSeconds: seconds.default(120),
  /** Present: it remembers nothing, so follow-ups carry their history themselves, within these bounds. */
  history: z
    .strictObject({
      /** Of users and assistants. */
      maxMessages: z.int().positive().default(200),
      maxTokens: z.int().positive().default(100_000),
    })
    .optional(),
});

const limit = z.strictObject({
  requestsPerMinute: z.number().positive().optional(),
  tokensPerMinute: z.number().positive().optional(),
  inFlight: z.int().positive().optional(),
  burstSeconds: z.number().nonnegative().default(1),
  models: z.array(z.string().min(1)).default([]),
});

const queue = z.strictObject({
  upstream: z.string().optional(),
  limit: z.string().optional(),
  model: z.string().min(1).optional(),
  attempts: z.int().min(1).max(1000).default(6),
  timeoutSeconds: seconds.default(600),
  concurrency: z.int().min(1).max(100_000).default(200),
  priority: z.int().min(HIGHEST_PRIORITY).max(LOWEST_PRIORITY).default(DEFAULT_PRIORITY),
  maxWaiting: z.int().min(1).default(1_000_000),
  whenUnknown: z.enum(['retry', 'fail']).default('retry'),
  /** Present: equal requests share one call, and get its answer for so long after it was there. */
  cache: z.strictObject({ seconds: z.number().nonnegative().max(31_536_000) }).optional(),
  /** The share of its conversations that goes by the Responses API, the rest by Chat Completions. Absent: all of it. */
  route: z.strictObject({ responses: share }).optional(),
  /** The share of its jobs that is, once they are answered, sent to the other API too, to be compared. */
  shadow: z.strictObject({ share }).optional(),
  backoff: z
    .strictObject({ baseSeconds: seconds.default(1), maxSeconds: seconds.default(60) })
    .prefault({})
    .refine((backoff) => backoff.maxSeconds >= backoff.baseSeconds, {
      path: ['maxSeconds'],
      error: 'is smaller than baseSeconds',
    }),
});

const s3 = z.strictObject({
  bucket: z.string().min(1),
  /** Before each name. */
  prefix: z.string().default(''),
  region: z.string().min(1).default('us-east-1'),
  /** Absent: Amazon's own. */
  endpoint: z.url({ protocol: /^https?$/, error: 'is no http:// or https:// URL' }).optional(),
  /** Absent: found in the environment, or given by the machine's role. */
  accessKeyId: z.string().min(1).optional(),
  secretAccessKey: z.string().min(1).optional(),
  forcePathStyle: z.boolean().default(false),
});

/** Where uploaded files and the results of batches are kept. */
const files = z
  .strictObject({
    /** Absent: `files` in the data folder. One that all processes share. */
    directory: z.string().min(1).optional(),
    s3: s3.optional(),
    maxBytes: z
      .int()
      .positive()
      .default(512 * 1024 ** 2),
    retentionSeconds: seconds.default(30 * 86_400),
  })
  .prefault({})
  .refine((places) => places.directory === undefined || places.s3 === undefined, {
    path: ['s3'],
    error: 'cannot stand beside files.directory: name one place',
  });

export const EVENT_TYPES = [
  ...(['response.completed', 'response.failed', 'response.cancelled', 'response.incomplete'] as const),
  ...(['batch.completed', 'batch.failed', 'batch.expired', 'batch.cancelled'] as const),
  ...(['flow.completed', 'flow.failed', 'flow.cancelled'] as const),
  'limit.low' as const,
];
export type EventType = (typeof EVENT_TYPES)[number];

const webhookSecret = z.string().regex(WEBHOOK_SECRET, 'must be whsec_ and at least 24 bytes in base64');

/** What lives upstream is reached through us, with the upstream's key. */
const passThrough = z
  .strictObject({
    paths: z
      .array(z.string().regex(/^\/v1\/[a-z0-9_/-]+$/, 'is no path like /v1/conversations'))
      .default(['/v1/conversations', '/v1/vector_stores', '/v1/containers', '/v1/responses/input_tokens', '/v1/files']),
    maxBytes: z
      .int()
      .positive()
      .default(512 * 1024 ** 2),
    timeoutSeconds: seconds.default(600),
    inFlight: z.int().positive().default(50),
  })
  .prefault({});

const batches = z
  .strictObject({
    /** OpenAI's own bounds; more is possible here. */
    maxLines: z.int().positive().default(50_000),
    maxBytes: z
      .int()
      .positive()
      .default(200 * 1024 ** 2),
  })
  .prefault({});

/** Who is told of events. */
const webhooks = z
  .strictObject({
    /** Absent: MILLRACE_WEBHOOK_SECRET, else one is made and kept in Redis. */
    secret: webhookSecret.optional(),
    endpoints: z
      .array(
        z.strictObject({
          url: z.url({ protocol: /^https?$/, error: 'is no http:// or https:// URL' }),
          secret: webhookSecret.optional(),
          /** Absent: all. */
          events: z.array(z.enum(EVENT_TYPES)).optional(),
        }),
      )
      .max(50)
      .default([]),
    /** Addresses, or ranges like 10.0.0.0/8, that may be called though they are not public. */
    allow: z.array(z.string().refine(isAddressRange, 'is neither an address nor a range like 10.0.0.0/8')).default([]),
    /** How long a delivery is tried. */
    hours: z.number().positive().max(720).default(72),
  })
  .prefault({});

export const configSchema = z.strictObject({
  upstreams: z.record(name, upstream).optional(),
  limits: z.record(name, limit).optional(),
  queues: z.record(name, queue).optional(),
  worker: z.strictObject({ lockSeconds: seconds.default(30), graceSeconds: seconds.default(30) }).prefault({}),
  schemas: z.record(z.string(), z.unknown()).optional(),
  /** Functions that workers run when the model calls them, by name. */
  tools: z
    .record(
      z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'is no function name: letters, digits, "_" and "-", at most 64'),
      z.custom<Tool>(isTool, 'is not made by tool({ parameters, run }) of @millrace/core'),
    )
    .default({}),
  /** US dollars per million tokens, by model: before, and beside, the table of OpenAI's list prices. */
  prices: z
    .record(
      z.string().min(1),
      z.strictObject({
        input: z.number().nonnegative(),
        cachedInput: z.number().nonnegative().optional(),
        output: z.number().nonnegative(),
      }),
    )
    .default({}),
  /** How long finished jobs and their results are kept, and how many bytes of them a queue may hold. */
  retention: z
    .strictObject({
      seconds: seconds.default(30 * 86_400),
      bytesPerQueue: z
        .int()
        .positive()
        .default(4 * 1024 ** 3),
    })
    .prefault({}),
  files,
  webhooks,
  batches,
  passThrough: z.union([z.literal(false), passThrough]).prefault({}),
  /** Present: every upstream request and response is written, whole, to rotated JSONL files. */
  audit: z
    .strictObject({
      directory: z.string().min(1),
      fileBytes: z
        .int()
        .min(1024)
        .default(64 * 1024 ** 2),
      files: z.int().min(1).max(10_000).default(20),
    })
    .optional(),
});

/** What `defineConfig` takes. */
export type ConfigInput = z.input<typeof configSchema>;
export type ParsedConfig = z.output<typeof configSchema>;
export type UpstreamConfig = ParsedConfig['upstreams'] extends Record<string, infer U> | undefined ? U : never;
export type HistoryBounds = NonNullable<UpstreamConfig['history']>;
export type PassThroughConfig = Exclude<ParsedConfig['passThrough'], false>;
export type WebhooksConfig = ParsedConfig['webhooks'];
export type ModelPrice = ParsedConfig['prices'][string];
export type FilesConfig = ParsedConfig['files'];
export type LimitConfig = ParsedConfig['limits'] extends Record<string, infer L> | undefined ? L : never;
export type QueueConfig = Omit<
  ParsedConfig['queues'] extends Record<string, infer Q> | undefined ? Q : never,
  'upstream' | 'limit'
> & {
  /** Names, resolved: every queue has both. */
  upstream: string;
  limit: string;
};

/** The identity, for a typed `millrace.config.ts`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
