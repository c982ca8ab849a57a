/** What can be asked of a simulator, checked once at start: a mistyped fault or probability never runs silently. */
import { z } from 'zod';
import { FAULT_KINDS, type Fault } from './calls/faults.ts';
import type { Limits } from './calls/limits.ts';

export interface SimulatorOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** 0, the default in-process, is any free port. */
  port?: number;
  /** Two simulators with one seed give the same requests the same ids, answers, latencies and faults. Default 1. */
  seed?: number;
  /** Milliseconds until the answer (plain) or its first event (streamed); a range is drawn from evenly. Default 0. */
  latencyMs?: number | [min: number, max: number];
  /** Pace of an answer that is streamed or made in the background, in tokens per second. Default: all at once. */
  tokensPerSecond?: number;
  /** About how many delta events a streamed answer has. Default: one a word. */
  streamEvents?: number;
  /** How its tokenizer counts what is asked. Default 4, as English prose; answers are always counted by 4. */
  charactersPerToken?: number;
  /** Per model; none by default. */
  limits?: Limits;
  /** false: a server that knows no background mode and refuses `background: true`. Default true. */
  background?: boolean;
  /** true: a server that remembers nothing and refuses `previous_response_id` and `conversation`. Default false. */
  stateless?: boolean;
  /** false: no prompt is ever cached, as with many other servers. Default true; only `cached_tokens` tells. */
  promptCache?: boolean;
  /** Faults by probability; a fault named in the prompt comes before these. */
  faults?: Fault[];
  /** When set, any other key gets OpenAI's 401. */
  apiKeys?: string[];
}

const MAX_PORT = 65_535;
/** One hour: a longer wait is a mistake in the options, and setTimeout overflows at 24.8 days. */
const MAX_LATENCY_MS = 3_600_000;
const latency = z.number().min(0).max(MAX_LATENCY_MS);

const faultsSchema = z.array(
  z.strictObject({
    kind: z.enum(FAULT_KINDS),
    probability: z.number().min(0).max(1),
    times: z.int().min(0).exactOptional(),
    afterSeconds: z.number().min(0).exactOptional(),
  }),
);

const limitsSchema = z.strictObject({
  requestsPerMinute: z.number().positive().exactOptional(),
  tokensPerMinute: z.number().positive().exactOptional(),
  burstSeconds: z.number().positive().exactOptional(),
});

const optionsSchema = z.strictObject({
  host: z.string().min(1).exactOptional(),
  port: z.int().min(0).max(MAX_PORT).exactOptional(),
  seed: z.number().exactOptional(),
  latencyMs: z
    .union([
      latency,
      z.tuple([latency, latency]).refine(([min, max]) => min <= max, 'the first may not exceed the second'),
    ])
    .exactOptional(),
  tokensPerSecond: z.number().positive().exactOptional(),
  streamEvents: z.int().min(1).exactOptional(),
  charactersPerToken: z.number().positive().exactOptional(),
  limits: limitsSchema.exactOptional(),
  background: z.boolean().exactOptional(),
  stateless: z.boolean().exactOptional(),
  promptCache: z.boolean().exactOptional(),
  faults: faultsSchema.exactOptional(),
  apiKeys: z.array(z.string().min(1)).exactOptional(),
});

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new TypeError(`${what}: ${z.prettifyError(result.error)}`);
}

/** The options, checked. Throws a TypeError that names every fault. */
export function readOptions(value: unknown): SimulatorOptions {
  return check<SimulatorOptions>(optionsSchema, value, 'simulator options');
}

/** A fault list, checked. Throws a TypeError that names every mistake. */
export function readFaults(value: unknown): Fault[] {
  return check<Fault[]>(faultsSchema, value, 'faults');
}

/** Limits, checked. Throws a TypeError that names every mistake. */
export function readLimits(value: unknown): Limits {
  return check<Limits>(limitsSchema, value, 'limits');
}
