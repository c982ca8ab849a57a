/** What calls used, and for what: by day, and since the beginning. */
import type { Store, StoreQueue } from '../store.ts';
import { readSpans } from './read-spans.ts';

/** ok: it came to an answer; failed: it did not; shared: no call was made, and this is what one would have used. */
export type CameTo = 'ok' | 'failed' | 'shared';

export interface SpentFigures {
  cameTo: CameTo;
  /** The API key's name; '': nobody's. */
  key: string;
  /** '': it was not named; `other`: of more models than are told apart. */
  model: string;
  /** Calls whose use the upstream told. */
  calls: number;
  /** Tokens; those that were cached upstream are among the input. */
  input: number;
  cached: number;
  output: number;
  /** Calls of the upstream's own tools, by the type of their items. */
  tools: Record<string, number>;
  /** Calls that may be on the bill, and nobody knows with what. */
  unread: number;
}

export interface DayFigures {
  /** Days since 1970, UTC, of Redis's clock. */
  day: number;
  spent: SpentFigures[];
}

const DAY_MS = 86_400_000;

/** What each day's calls used, from `from` to `to`, both included, in order, by queue. Days that are over are read once. */
export function readDays(
  store: Store,
  queues: readonly StoreQueue[],
  from: number,
  to: number,
): Promise<Map<string, DayFigures[]>> {
  const terms = { kind: 'day', unitMs: DAY_MS, keyOf: ({ keys }: StoreQueue, at: number) => keys.day(at) };
  const read = (day: number, fields: Record<string, string>): DayFigures => ({ day, spent: spentOf(fields) });
  return readSpans(store, queues, { ...terms, read }, from, to);
}

/** What all calls since the beginning used, by queue. One round trip. */
export async function readSpentTotals(store: Store): Promise<Map<string, SpentFigures[]>> {
  const queues = [...store.queues.values()];
  const pipeline = store.redis.pipeline();
  for (const { keys } of queues) pipeline.hgetall(keys.spent);
  const replies = (await pipeline.exec()) ?? [];
  return new Map(
    queues.map(({ name }, index) => {
      const [error, fields] = replies[index] ?? [null, {}];
      if (error) throw error;
      return [name, spentOf(fields as Record<string, string>)];
    }),
  );
}

/** All that was used, whatever came of it; what was shared was not. */
export function tokensOf(spent: readonly SpentFigures[]): { input: number; cached: number; output: number } {
  const sum = { input: 0, cached: 0, output: 0 };
  for (const { cameTo, input, cached, output } of spent) {
    if (cameTo === 'shared') continue;
    sum.input += input;
    sum.cached += cached;
    sum.output += output;
  }
  return sum;
}

const NAMED = { calls: 'calls', in: 'input', cached: 'cached', out: 'output', unread: 'unread' } as const;

/** A field is `<came to>:<what>:<key>:<model>`; names of keys have no colon, models may. */
function spentOf(fields: Readonly<Record<string, string>>): SpentFigures[] {
  const accounts = new Map<string, SpentFigures>();
  for (const [field, text] of Object.entries(fields)) {
    const [, cameTo = '', what = '', key = '', model = ''] = /^(\w+):(\w+):([^:]*):(.*)$/s.exec(field) ?? [];
    const account = `${cameTo}:${key}:${model}`;
    const spent = accounts.get(account) ?? newSpent(cameTo as CameTo, key, model);
    accounts.set(account, spent);
    if (Object.hasOwn(NAMED, what)) spent[NAMED[what as keyof typeof NAMED]] = Number(text);
    else spent.tools[what] = Number(text);
  }
  return [...accounts.values()];
}

function newSpent(cameTo: CameTo, key: string, model: string): SpentFigures {
  return { cameTo, key, model, calls: 0, input: 0, cached: 0, output: 0, tools: {}, unread: 0 };
}
