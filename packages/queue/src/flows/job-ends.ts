/** What jobs of a flow came to, for who shows it: what they used, when they were made, the beginning of what they said. */
import { type Answer, isTerminal, type JobStatus, type Usage } from '@millrace/core';
import { readJson } from '../job-record.ts';
import type { Store } from '../store.ts';
import { type Place, readFields } from './job-fields.ts';

export interface JobUse {
  /** It has ended, or is gone: nothing of it changes any more. */
  over: boolean;
  model: string | null;
  usage: Usage | null;
  /** By type, of tools that the upstream bills apart. */
  toolCalls: Record<string, number>;
}

const BILLED_APART = ['web_search_call', 'file_search_call'];

/** What each job used, in order, without reading one of them whole. */
export async function readUse(store: Store, places: readonly Place[]): Promise<JobUse[]> {
  const fields = ['status', 'model', 'usage', ...BILLED_APART.map((type) => `tool_calls:${type}`)];
  const found: JobUse[] = [];
  for await (const [status, model = null, usage, ...calls] of readFields(store, places, fields, places.length)) {
    const toolCalls = BILLED_APART.map((type, index) => [type, Number(calls[index] ?? 0)] as const);
    found.push({
      over: status == null || isTerminal(status as JobStatus),
      ...{ model, usage: readJson<Usage>(usage) },
      toolCalls: Object.fromEntries(toolCalls.filter(([, count]) => count > 0)),
    });
  }
  return found;
}

/** When each job was submitted, ms, in order; null of one that is gone. */
export async function readMade(store: Store, places: readonly Place[]): Promise<(number | null)[]> {
  const made: (number | null)[] = [];
  for await (const [stamp] of readFields(store, places, ['stamp'])) {
    made.push(stamp == null ? null : Math.floor(Number(stamp) / 1000));
  }
  return made;
}

/** What each job said, in order; null where it said nothing, or its answer takes more than `maxBytes`. */
export async function readSayings(
  store: Store,
  places: readonly Place[],
  maxBytes: number,
): Promise<(string | null)[]> {
  const lengths = store.redis.pipeline();
  for (const { queue, id } of places) lengths.strlen(queue.keys.result(id));
  const sizes = ((await lengths.exec()) ?? []).map(([error, size]) => {
    if (error) throw error;
    return size as number;
  });
  const reads = store.redis.pipeline();
  const small = places.filter((_, index) => (sizes[index] ?? 0) > 0 && (sizes[index] as number) <= maxBytes);
  for (const { queue, id } of small) reads.get(queue.keys.result(id));
  const answers = small.length === 0 ? [] : ((await reads.exec()) ?? []);
  const said = new Map(
    small.map(({ id }, index) => [id, readJson<Answer>(answers[index]?.[1] as string | null)?.output_text ?? null]),
  );
  return places.map(({ id }) => said.get(id) ?? null);
}
