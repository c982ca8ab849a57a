/**
 * Reads rollups of a range of minutes or days. One that is over does not change any more: it is read once and kept, a
 * bounded number of them, in this process.
 */
import type { Store, StoreQueue } from '../store.ts';

interface Terms<T> {
  /** Names them among what is kept. */
  kind: string;
  /** How long one is. */
  unitMs: number;
  keyOf(queue: StoreQueue, at: number): string;
  read(at: number, fields: Record<string, string>): T;
}

/** Three queues' minutes of two days, and a year of days; beyond, what was kept first goes. */
const KEPT_MOST = 10_000;
/** Redis serves others between two pipelines of so many. */
const AT_ONCE = 200;

const keptOf = new WeakMap<Store, Map<string, unknown>>();

/** Those from `from` to `to`, both included, in order, by queue; what nothing is known of is there too, as of no fields. */
export async function readSpans<T>(
  store: Store,
  queues: readonly StoreQueue[],
  { kind, unitMs, keyOf, read }: Terms<T>,
  from: number,
  to: number,
): Promise<Map<string, T[]>> {
  const kept = keptOf.get(store) ?? new Map<string, unknown>();
  keptOf.set(store, kept);
  const spans = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  const wanted = queues.flatMap((queue) => spans.map((at) => ({ queue, at, name: `${kind} ${queue.name} ${at}` })));
  const found = new Map(wanted.flatMap(({ name }) => (kept.has(name) ? [[name, kept.get(name) as T] as const] : [])));
  const missing = wanted.filter(({ name }) => !found.has(name));
  for (let start = 0; start < missing.length; start += AT_ONCE) {
    const part = missing.slice(start, start + AT_ONCE);
    const pipeline = store.redis.pipeline().time();
    for (const { queue, at } of part) pipeline.hgetall(keyOf(queue, at));
    const [time, ...replies] = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply;
    });
    // Asked before the rest: what was over by then was read whole.
    const present = Math.floor((Number((time as string[])[0]) * 1000) / unitMs);
    for (const [index, { at, name }] of part.entries()) {
      const figures = read(at, replies[index] as Record<string, string>);
      found.set(name, figures);
      if (at < present) keep(kept, name, figures);
    }
  }
  return new Map(queues.map(({ name }) => [name, spans.map((at) => found.get(`${kind} ${name} ${at}`) as T)]));
}

function keep(kept: Map<string, unknown>, name: string, figures: unknown): void {
  if (kept.size >= KEPT_MOST) kept.delete(kept.keys().next().value as string);
  kept.set(name, figures);
}
