/** What tests of the store share: a store on a real Redis, and jobs to put into it. */
import { type ConfigInput, createLog, type NewJob, readEnvironment, resolveConfig } from '@millrace/core';
import { openStore, type Store } from '../store.ts';

export const silentLog = createLog('test', 'silent');

/** The configuration of a test: two queues, unless it says otherwise. */
export function testConfig(input: ConfigInput = {}): ReturnType<typeof resolveConfig> {
  return resolveConfig({ queues: { generate: {}, extract: {} }, ...input }, readEnvironment({}));
}

/** A store that waits for Redis, as a worker's, unless told to be hasty, as the API's. */
export function openTestStore(
  redisUrl: string,
  options: { config?: ConfigInput; kind?: 'patient' | 'hasty' } = {},
): Promise<Store> {
  return openStore({
    redisUrl,
    config: testConfig(options.config),
    log: silentLog,
    kind: options.kind ?? 'patient',
  });
}

/** A job that asks for nothing special. */
export function newJob(fields: Partial<NewJob> = {}): NewJob {
  return {
    queue: 'generate',
    type: 'generate',
    model: 'test-model',
    priority: 5,
    delayMs: 0,
    deadline: null,
    metadata: null,
    webhookUrl: null,
    retryOf: null,
    stream: false,
    forget: false,
    batch: null,
    key: null,
    idempotency: null,
    body: { input: 'hello' },
    ...fields,
  };
}
