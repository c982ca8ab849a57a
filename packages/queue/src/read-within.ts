/**
 * Reading many jobs without holding more of them at once than a bound: their sizes are asked for first. What is too big
 * of a job is left unread, and the rest of the job is there all the same.
 */
import type { Answer, Job } from '@millrace/core';
import { jobFromRecord, readJson } from './job-record.ts';
import { queueOfJob, type Store, type StoreQueue } from './store.ts';

export interface ReadBounds {
  /** A request that is longer (bytes) is left out: `body` is empty then. */
  bodyBytes: number;
  /** An answer that is longer (bytes) is left out; 0: none is read. */
  answerBytes: number;
  /** Of jobs that are held at once, bytes: at least one is. */
  batchBytes: number;
}

export interface BoundedJob {
  job: Job;
  answer: Answer | null;
  /** Something of it was too big, and was left out. */
  partly: boolean;
}

/** What is left out of a record that is too big: only a request is ever of megabytes. */
const BIG_FIELDS = new Set(['body']);

/** Jobs by their ids, some at a time, in the same order; those that are gone are left out. */
export async function* readWithin(
  store: Store,
  ids: readonly string[],
  bounds: ReadBounds,
): AsyncGenerator<BoundedJob[]> {
  let batch: Sized[] = [];
  let held = 0;
  for (const sized of await sizesOf(store, ids)) {
    if (batch.length > 0 && held + sized.bytes > bounds.batchBytes) {
      yield await readBatch(store, batch, bounds);
      batch = [];
      held = 0;
    }
    batch.push(sized);
    held += sized.bytes;
  }
  if (batch.length > 0) yield await readBatch(store, batch, bounds);
}

interface Sized {
  queue: StoreQueue;
  id: string;
  /** Of its record and answer. */
  bytes: number;
}

async function sizesOf(store: Store, ids: readonly string[]): Promise<Sized[]> {
  const places = ids.flatMap((id) => {
    const queue = queueOfJob(store, id);
    return queue === undefined ? [] : [{ queue, id }];
  });
  const pipeline = store.redis.pipeline();
  for (const { queue, id } of places) pipeline.hget(queue.keys.job(id), 'bytes');
  const replies = (await pipeline.exec()) ?? [];
  return places.flatMap((place, index) => {
    const [error, bytes] = replies[index] ?? [null, null];
    if (error) throw error;
    return bytes === null ? [] : [{ ...place, bytes: Number(bytes) || 0 }];
  });
}

async function readBatch(store: Store, batch: readonly Sized[], bounds: ReadBounds): Promise<BoundedJob[]> {
  const small = ({ bytes }: Sized): boolean => bytes <= bounds.bodyBytes;
  const first = store.redis.pipeline();
  for (const sized of batch) {
    const { job, result } = sized.queue.keys;
    if (small(sized)) first.hgetall(job(sized.id));
    else first.hkeys(job(sized.id)).hstrlen(job(sized.id), 'body').strlen(result(sized.id));
    if (small(sized) && bounds.answerBytes > 0) first.get(result(sized.id));
  }
  const replies = values(await first.exec());
  const second = store.redis.pipeline();
  const kept: { sized: Sized; record: Record<string, string> | string[]; result: string | null; partly: boolean }[] =
    [];
  for (const sized of batch) {
    const { job, result } = sized.queue.keys;
    if (small(sized)) {
      const record = replies.shift() as Record<string, string>;
      kept.push({
        sized,
        record,
        result: bounds.answerBytes > 0 ? (replies.shift() as string | null) : null,
        partly: false,
      });
      continue;
    }
    const [names, body, answer] = replies.splice(0, 3) as [string[], number, number];
    const fields = body > bounds.bodyBytes ? names.filter((name) => !BIG_FIELDS.has(name)) : names;
    // A record that has gone meanwhile has no names: 'status' keeps the command valid, and is not there.
    second.hmget(job(sized.id), 'status', ...fields);
    if (answer <= bounds.answerBytes) second.get(result(sized.id));
    else second.exists(result(sized.id));
    const partly = body > bounds.bodyBytes || (bounds.answerBytes > 0 && answer > bounds.answerBytes);
    kept.push({ sized, record: ['status', ...fields], result: null, partly });
  }
  const rest = second.length > 0 ? values(await second.exec()) : [];
  return kept.flatMap(({ sized: { id, queue }, record, result, partly }) => {
    let fields = record;
    let text: unknown = result;
    if (Array.isArray(fields)) {
      const [told, answer] = rest.splice(0, 2) as [(string | null)[], unknown];
      fields = Object.fromEntries(fields.flatMap((name, index) => (told[index] == null ? [] : [[name, told[index]]])));
      text = typeof answer === 'string' ? answer : null;
    }
    const job = jobFromRecord(id, queue.name, fields as Record<string, string>);
    return job === null ? [] : [{ job, answer: readJson<Answer>(text as string | null), partly }];
  });
}

/** @throws the first error among them */
function values(replies: [Error | null, unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
