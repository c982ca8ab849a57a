/** The record of a batch: OpenAI's fields, and where its work stands. Its counts are moved by `finish`, job by job. */
import { type BatchEndpoint, type JobError, NotFoundError, tagOfBatchId, type Usage } from '@millrace/core';
import { readJson } from '../job-record.ts';
import type { Store, StoreQueue } from '../store.ts';
import { type BatchCounts, countsFromRecord } from './batch-counts.ts';

/** Answers of a batch are kept at least until its files are written: longer than any batch takes. */
export const BATCH_KEPT_MS = 400 * 86_400_000;

export const OPEN_STATUSES = ['validating', 'in_progress', 'finalizing', 'cancelling'] as const;
export const ENDED_STATUSES = ['failed', 'completed', 'expired', 'cancelled'] as const;
export type BatchStatus = (typeof OPEN_STATUSES)[number] | (typeof ENDED_STATUSES)[number];

export interface LineError {
  code: string | null;
  message: string;
  param: string | null;
  /** From 1; null: it is about the whole file. */
  line: number | null;
}

export interface Batch {
  id: string;
  queue: StoreQueue;
  status: BatchStatus;
  endpoint: BatchEndpoint;
  input_file_id: string;
  completion_window: string;
  /** Milliseconds of this and other times. */
  created_at: number;
  expires_at: number;
  /** When it came to each status. */
  turned: Partial<Record<BatchStatus, number>>;
  priority: number;
  metadata: Record<string, string> | null;
  output_expires_seconds: number | null;
  model: string | null;
  /** The name of the API key that made it, whose its jobs are; null: nobody's. */
  key: string | null;
  /** Requests of the input; 0 until it was read. */
  total: number;
  completed: number;
  failed: number;
  /** Requests that have become jobs: so many from the first on, beside the leaders. */
  enqueued: number;
  /** Places of the requests that go ahead of all others, to have their beginnings cached upstream. */
  leaders: number[];
  output_file_id: string | null;
  error_file_id: string | null;
  errors: LineError[] | null;
  /** What its ended jobs took; null until its files are written. */
  usage: Usage | null;
  /** Input tokens of its ended jobs that the upstream had cached, as they end. */
  cached_tokens: number;
  counts: BatchCounts;
}

export function queueOfBatch(store: Store, id: string): StoreQueue | undefined {
  const tag = tagOfBatchId(id);
  return tag === null ? undefined : [...store.queues.values()].find((queue) => queue.tag === tag);
}

/** null: there is none. */
export async function readBatch(store: Store, id: string): Promise<Batch | null> {
  const queue = queueOfBatch(store, id);
  if (queue === undefined) return null;
  return fromRecord(id, queue, await store.redis.hgetall(queue.keys.batch(id)));
}

/** Of one queue, in the order of the ids; those that are gone are left out. */
export async function readBatches(store: Store, queue: StoreQueue, ids: readonly string[]): Promise<Batch[]> {
  const pipeline = store.redis.pipeline();
  for (const id of ids) pipeline.hgetall(queue.keys.batch(id));
  const replies = ids.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return replies.flatMap(([error, record], index) => {
    if (error) throw error;
    return fromRecord(ids[index] as string, queue, record as Record<string, string>) ?? [];
  });
}

function fromRecord(id: string, queue: StoreQueue, record: Record<string, string>): Batch | null {
  if (record.status === undefined) return null;
  const number = (name: string): number => Number(record[name] ?? 0);
  const turned: Batch['turned'] = {};
  for (const status of [...OPEN_STATUSES, ...ENDED_STATUSES]) {
    const at = record[`${status}_at`];
    if (at !== undefined) turned[status] = Number(at);
  }
  return {
    ...{ id, queue, turned, status: record.status as BatchStatus, endpoint: record.endpoint as BatchEndpoint },
    ...{ input_file_id: record.input_file_id ?? '', completion_window: record.completion_window ?? '' },
    ...{ created_at: number('created_at'), expires_at: number('expires_at'), priority: number('priority') },
    ...{
      total: number('total'),
      completed: number('completed'),
      failed: number('failed'),
      enqueued: number('enqueued'),
    },
    ...{ output_file_id: record.output_file_id ?? null, error_file_id: record.error_file_id ?? null },
    model: record.model ?? null,
    key: record.key ?? null,
    leaders: readJson<number[]>(record.leaders) ?? [],
    metadata: readJson(record.metadata),
    output_expires_seconds: record.output_expires_seconds === undefined ? null : number('output_expires_seconds'),
    errors: readJson<LineError[]>(record.errors),
    usage: readJson<Usage>(record.usage),
    cached_tokens: number('cached_tokens'),
    counts: countsFromRecord(record),
  };
}

export function noSuchBatch(id: string): NotFoundError {
  return new NotFoundError(`No batch found with id '${id.slice(0, 80)}'.`, 'id');
}

/** What is told of a job in a batch's error file where it never got an answer. */
export type LineEnd = { code: 'batch_expired' | 'batch_cancelled' } | { error: JobError };
