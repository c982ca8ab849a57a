/** What an order would come to: whether its edit fits, and the cost that is to be expected, by a sample of the jobs. */
import { editedJob, InvalidRequestError, type Job, type NewJob, readableCharacters } from '@millrace/core';
import { readSpentTotals, readWithin, type Store } from '@millrace/queue';
import { costOf, priceOf } from '@millrace/upstream';
import type { PreviewView } from '../views/actions.ts';
import type { Order } from './order.ts';

const SAMPLE = 100;
const READ = { bodyBytes: 1024 ** 2, answerBytes: 0, batchBytes: 4 * 1024 ** 2 };
/** English prose; as the limits' own estimate begins. */
const CHARACTERS_PER_TOKEN = 4;

interface Expected {
  model: string | null;
  input: number;
  cached: number;
  /** null: nothing is known of its answer's length. */
  output: number | null;
  by: 'usage' | 'size';
}

/**
 * @throws InvalidRequestError naming the field where the edit fits no job of the sample
 */
export async function previewOrder(store: Store, order: Order, ids: readonly string[]): Promise<PreviewView> {
  const { kind, edit } = order;
  // Evenly among all, so that the newest do not stand for the rest.
  const looked = Math.min(SAMPLE, ids.length);
  const asked = Array.from({ length: looked }, (_, place) => ids[Math.floor((place * ids.length) / looked)] ?? '');
  if (kind === 'discard')
    return { jobs: ids.length, sample: 0, refused: null, usd: 0, how: 'Discarding makes no call.' };
  const averages = await outputByModel(store);
  const expected: Expected[] = [];
  const refused: { id: string; message: string }[] = [];
  let first: InvalidRequestError | null = null;
  let sample = 0;
  for await (const part of readWithin(store, asked, READ)) {
    for (const { job, partly } of part) {
      if (job.status !== 'failed' || partly) continue;
      sample++;
      try {
        const next = edit === null ? null : editedJob(store.config, job, edit, null);
        expected.push(expectedOf(job, next, averages));
      } catch (error) {
        if (!(error instanceof InvalidRequestError)) throw error;
        first ??= error;
        refused.push({ id: job.id, message: error.message });
      }
    }
  }
  if (first !== null && expected.length === 0) throw first;
  const [told] = refused;
  return {
    ...{ jobs: ids.length, sample, refused: told === undefined ? null : { ...told, count: refused.length } },
    ...costOfAll(store, expected, ids.length, sample),
  };
}

function expectedOf(job: Job, next: NewJob | null, averages: ReadonlyMap<string, number>): Expected {
  const { usage, body } = job;
  const model = next?.model ?? job.model;
  const before = sizeOf(body);
  const size = next === null ? before : sizeOf(next.body);
  if (usage !== null && usage.input_tokens > 0 && usage.output_tokens > 0) {
    const grown = before === 0 ? 1 : size / before;
    const { input_tokens: input, input_tokens_details: details, output_tokens: output } = usage;
    // What was cached of it is another model's.
    const cached = model === job.model ? details.cached_tokens * grown : 0;
    return { model, input: input * grown, cached, output, by: 'usage' };
  }
  const output = model === null ? null : (averages.get(model) ?? null);
  return { model, input: size / CHARACTERS_PER_TOKEN, cached: 0, output, by: 'size' };
}

const sizeOf = (body: Job['body']): number => readableCharacters(body, JSON.stringify(body).length);

/** Output tokens of a call, by model, of all calls since the beginning. */
async function outputByModel(store: Store): Promise<Map<string, number>> {
  const sums = new Map<string, { calls: number; output: number }>();
  for (const figures of (await readSpentTotals(store)).values()) {
    for (const { cameTo, model, calls, output } of figures) {
      if (cameTo === 'shared') continue;
      const sum = sums.get(model) ?? { calls: 0, output: 0 };
      sums.set(model, { calls: sum.calls + calls, output: sum.output + output });
    }
  }
  return new Map([...sums].flatMap(([model, { calls, output }]) => (calls > 0 ? [[model, output / calls]] : [])));
}

function costOfAll(
  store: Store,
  expected: readonly Expected[],
  jobs: number,
  sample: number,
): Pick<PreviewView, 'usd' | 'how'> {
  if (expected.length === 0)
    return { usd: null, how: 'None of the jobs could be read: what they would cost is unknown.' };
  let usd = 0;
  for (const { model, input, cached, output } of expected) {
    const price = model === null ? null : priceOf(model, store.config.prices);
    if (price === null) {
      const named = model === null ? 'a job that names no model' : `'${model}'`;
      return { usd: null, how: `There is no price for ${named}: add it to 'prices' of the configuration.` };
    }
    if (output === null) {
      return { usd: null, how: `No call of '${model}' was answered yet: how long its answers are is unknown.` };
    }
    usd += costOf(price, {
      ...{ input_tokens: input, input_tokens_details: { cached_tokens: cached } },
      ...{ output_tokens: output, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + output },
    });
  }
  const known = expected.filter(({ by }) => by === 'usage').length;
  const how = [
    known > 0 && `${known} by the tokens they took before`,
    known < expected.length && `${expected.length - known} by their size and the model's average answer`,
  ].filter(Boolean);
  const of = sample < jobs ? `From a sample of ${sample} jobs: ` : 'Of each job: ';
  // What the edit does not fit makes no call.
  return { usd: (usd / sample) * jobs, how: `${of}${how.join(', ')}. One call each, no retries.` };
}
