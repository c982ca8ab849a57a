/** The Lua scripts: read once, defined on a connection, run by name with their keys and arguments apart. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainableCommander, Redis } from 'ioredis';
import { BATCH_KEPT_MS } from './batches/batch.ts';
import { BATCH_CODES, BATCH_EXAMPLES, BATCH_MODELS } from './batches/batch-counts.ts';
import {
  BREAKER_KEPT_MS,
  CLOSE_AT_SUCCESSES,
  FAILURE_SHARE,
  OPEN_AT_FAILURES,
  PROBE_AT_MOST_MS,
  PROBE_MS,
  REOPEN_AT_FAILURES,
  SAMPLE_CALLS,
  SAMPLE_MS,
  STARTS_PER_SUCCESS,
  TRICKLE_MS,
} from './breaker/pace-of-breaker.ts';
import { CHANGES_KEPT } from './changes.ts';
import { EVENTS_BYTES, EVENTS_KEPT_MS, EVENTS_RUNNING_MS } from './events/bounds.ts';
import { toldChannel } from './keys.ts';
import {
  ASK_AGAIN_GRACE_MS,
  CORRECTION_GAIN,
  LEARN_STEP_MS,
  LIMIT_KEPT_MS,
  OTHERS_MOST,
} from './limits/pace-of-limits.ts';
import {
  DEAD_AFTER_MS,
  GAP_MS,
  MAX_CRASHES,
  MAX_CRASHES_ALONE,
  MISSED_AFTER_MS,
  SUSPECT_CRASHES,
} from './pace-of-life.ts';
import { DAY_FIELDS, DAYS_KEPT_MS, MINUTE_FIELDS, MINUTES_KEPT_MS, MODEL_BYTES } from './rollups/bounds.ts';

/** Upper bounds, in seconds, of the latency histograms that the scripts keep; the last one, +Inf, is implied. */
export const LATENCY_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

/**
 * Only `submit` and `shadow` may be refused by a full Redis. The other writers record what has happened already: an answer that was
 * paid for must be stored, and ending and removing jobs is what makes room again.
 */
export const WHEN_FULL = '#!lua flags=allow-oom\n';

const HEADERS = {
  submit: '#!lua\n',
  shadow: '#!lua\n',
  begin: WHEN_FULL,
  append: WHEN_FULL,
  'turn-batch': WHEN_FULL,
  checkpoint: WHEN_FULL,
  settle: WHEN_FULL,
  finish: WHEN_FULL,
  depend: WHEN_FULL,
  share: WHEN_FULL,
  turn: WHEN_FULL,
  'call-again': WHEN_FULL,
  remove: WHEN_FULL,
  lease: WHEN_FULL,
  mark: WHEN_FULL,
  beat: WHEN_FULL,
  bury: WHEN_FULL,
  reserve: WHEN_FULL,
  release: WHEN_FULL,
  claim: WHEN_FULL,
  'breaker-step': WHEN_FULL,
  'note-page': WHEN_FULL,
  'turn-action': WHEN_FULL,
  list: '#!lua flags=no-writes\n',
  stranded: '#!lua flags=no-writes\n',
} as const;
export type ScriptName = keyof typeof HEADERS;

const source = (name: string): string => readFileSync(join(import.meta.dirname, 'lua', `${name}.lua`), 'utf8');
const numbers = {
  ...{ DEAD_AFTER_MS, MISSED_AFTER_MS, GAP_MS, SUSPECT_CRASHES, MAX_CRASHES, MAX_CRASHES_ALONE },
  ...{ ASK_AGAIN_GRACE_MS, CORRECTION_GAIN, LEARN_STEP_MS, LIMIT_KEPT_MS, OTHERS_MOST },
  ...{ SAMPLE_CALLS, SAMPLE_MS, FAILURE_SHARE, OPEN_AT_FAILURES, REOPEN_AT_FAILURES, PROBE_MS, PROBE_AT_MOST_MS },
  ...{ STARTS_PER_SUCCESS, CLOSE_AT_SUCCESSES, TRICKLE_MS, BREAKER_KEPT_MS },
  ...{ BATCH_KEPT_MS, BATCH_MODELS, BATCH_CODES, BATCH_EXAMPLES, CHANGES_KEPT },
  ...{ MINUTES_KEPT_MS, MINUTE_FIELDS, DAYS_KEPT_MS, DAY_FIELDS, MODEL_BYTES },
  ...{ EVENTS_BYTES, EVENTS_KEPT_MS, EVENTS_RUNNING_MS },
};
const named = Object.entries(numbers).map(([name, value]) => `local ${name} = ${value}\n`);
const prelude = `local TOLD = '${toldChannel('')}'\nlocal BUCKETS = {${LATENCY_BUCKETS_SECONDS.join(',')}}\n${named.join('')}${source('prelude')}`;

/** The whole of a script, for who runs it without a client of ioredis's. */
export function scriptSource(name: ScriptName): string {
  return `${HEADERS[name]}${prelude}\n${source(name)}`;
}

const scripts = (Object.keys(HEADERS) as ScriptName[]).map((name) => ({ name, lua: scriptSource(name) }));

/** ioredis adds a method per defined command; this is how they are typed here. */
type Commands = Record<string, (numberOfKeys: number, ...args: (string | number)[]) => unknown>;

const command = (name: ScriptName): string => `millrace:${name}`;

/** Defines the scripts on a connection; they run as EVALSHA, loaded again by themselves after a Redis restart. */
export function defineScripts(redis: Redis): void {
  for (const { name, lua } of scripts) redis.defineCommand(command(name), { lua });
}

/**
 * Runs a script on a connection whose scripts are defined.
 * @throws ReplyError from Redis (OOM, READONLY …), or a connection error.
 */
export function runScript(
  redis: Redis,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  return (redis as unknown as Commands)[command(name)]?.(keys.length, ...keys, ...args) as Promise<unknown>;
}

/** Queues a script in a transaction or pipeline. */
export function queueScript(
  chain: ChainableCommander,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number)[],
): void {
  (chain as unknown as Commands)[command(name)]?.(keys.length, ...keys, ...args);
}

/**
 * Loads every script that is defined on the connection, BullMQ's too. Needed where a script was forgotten by a Redis
 * that stayed up (SCRIPT FLUSH): ioredis notices that for single commands, but not inside a transaction.
 */
export async function loadScripts(redis: Redis): Promise<void> {
  const defined = Object.values(redis.scriptsSet as Record<string, { lua: string }>);
  await Promise.all(defined.map(({ lua }) => redis.script('LOAD', lua)));
}
