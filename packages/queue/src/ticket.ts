/** A job's BullMQ entry: enough for its dashboard and for routing, never the request itself. */

import { hash } from 'node:crypto';
import { type NewJob, readableCharacters } from '@millrace/core';
import { Job as BullJob, type JobsOptions } from 'bullmq';
import type { ChainableCommander } from 'ioredis';
import { conversationHash } from './conversation.ts';
import type { StoreQueue } from './store.ts';

/** What BullMQ keeps as the job's data. */
export interface Ticket {
  type: string;
  model: string | null;
  /** Of the request, as JSON, its images counted for what a model reads of them. */
  characters?: number;
  max_output?: number;
  /** Requests of one shape (instructions and schema) have answers of about one length. */
  shape?: string;
  /** The response it goes on from. */
  previous?: string;
  /** The line of the conversation upstream that it is of (see conversation.ts). */
  conversation?: string;
  /** Equal requests have the same, and share one call. */
  cache?: string;
}

/** Finished BullMQ entries are only for bull-board; the record and its result live by our own retention. */
const BULL_KEPT = { age: 7 * 86_400, count: 10_000 };

/**
 * A job's priority as BullMQ has it; every job has one, as an unset one is served before every set one. One that was
 * taken before goes ahead of those of its priority that were not: delayed for its backoff it would lose its place.
 */
export function bullPriority(priority: number, again: boolean): number {
  return (priority + 1) * 2 - (again ? 1 : 0);
}

/** The job's priority, 0 first … 9, of BullMQ's. */
export function jobPriority(bullPriority: number): number {
  return Math.ceil(bullPriority / 2) - 1;
}

/**
 * Queues BullMQ's add in a transaction. An entry that is there already is left as it is.
 * @param known characters of its body as JSON, where that was written already; what it shares a call under
 */
export function queueTicket(
  transaction: ChainableCommander,
  queue: StoreQueue,
  id: string,
  job: Pick<NewJob, 'type' | 'model' | 'priority' | 'delayMs'> & { body?: NewJob['body'] },
  { characters, cache = null }: { characters?: number | undefined; cache?: string | null } = {},
): void {
  const options: JobsOptions = {
    jobId: id,
    priority: bullPriority(job.priority, false),
    removeOnComplete: BULL_KEPT,
    removeOnFail: BULL_KEPT,
    ...(job.delayMs > 0 ? { delay: job.delayMs } : {}),
  };
  const ticket: Ticket = {
    ...{ type: job.type, model: job.model, ...measure(job.body, characters) },
    ...(cache === null ? {} : { cache }),
  };
  // BullMQ runs its script on whatever has runCommand: here our transaction, so that both writes are one.
  const client = {
    runCommand: (name: string, args: unknown[]) => {
      (transaction as unknown as Record<string, (args: unknown[]) => unknown>)[name]?.(args);
      return client;
    },
  };
  // The promise only carries the queued transaction back; the replies come from exec().
  void new BullJob(queue.bull, job.type, ticket, options, id).addJob(
    client as unknown as Parameters<BullJob['addJob']>[0],
  );
}

/** The last one: jobs that come together are mostly of one kind. */
let known = { kind: '', shape: '' };

function shapeOf(kind: string): string {
  if (kind !== known.kind) known = { kind, shape: hash('sha1', kind).slice(0, 8) };
  return known.shape;
}

/** What must be known of a request before it is read again. */
function measure(body: NewJob['body'] | undefined, characters?: number): Omit<Ticket, 'type' | 'model'> {
  if (body === undefined) return {};
  const {
    instructions,
    text,
    schema,
    max_output_tokens: most,
    previous_response_id: previous,
  } = body as Record<string, unknown>;
  const conversation = conversationHash(body);
  const kind = JSON.stringify([instructions, text, schema]);
  return {
    characters: readableCharacters(body, characters ?? JSON.stringify(body).length),
    ...(typeof most === 'number' ? { max_output: most } : {}),
    shape: shapeOf(kind),
    ...(typeof previous === 'string' ? { previous } : {}),
    ...(conversation === null ? {} : { conversation }),
  };
}
