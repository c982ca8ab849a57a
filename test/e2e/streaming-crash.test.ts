/** Streams outlive the processes that carry them: a worker's end, an API's end, and a client that comes back anywhere. */
import fc from 'fast-check';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { startRole } from '../harness/processes.ts';
import { readJob, type Stack, startStack } from '../harness/stack.ts';

type Event = { type: string; sequence_number: number; response?: { id: string; output_text?: string }; delta?: string };

/** An answer of some sixty events over three seconds. */
const SIMULATOR = { latencyMs: 50, streamEvents: 60, tokensPerSecond: 25 };

async function collect(stream: AsyncIterable<unknown>, into: Event[] = []): Promise<Event[]> {
  for await (const event of stream) into.push(event as Event);
  return into;
}
const textOf = (events: readonly Event[]): string =>
  events.flatMap(({ type, delta = '' }) => (type === 'response.output_text.delta' ? [delta] : [])).join('');

function expectWhole(events: readonly Event[]): void {
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  expect(events.at(-1)?.type).toBe('response.completed');
  const last = events.at(-1) as unknown as { response: { output: { content: { text: string }[] }[] } };
  expect(textOf(events)).toBe(last.response.output[0]?.content[0]?.text);
}

/** The two stacks mostly wait, so they run side by side; on one of them a test may kill what the next one needs. */
const IN_TURN = { concurrent: false, timeout: 90_000 };

describe.concurrent.each(['on', 'off'] as const)('with background %s', (background) => {
  let stack: Stack;
  let client: OpenAI;
  beforeAll(async () => {
    stack = await startStack({
      background,
      workers: 2,
      config: {
        queues: { generate: { model: 'sim-1', backoff: { baseSeconds: 0.05, maxSeconds: 0.1 } } },
        worker: { lockSeconds: 5 },
      },
      simulator: SIMULATOR,
    });
    client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
  }, 60_000);
  afterAll(() => stack?.stop());

  const create = (input: string) => client.responses.create({ model: 'sim-1', input, stream: true });
  const idOf = (events: readonly Event[]): string => events[0]?.response?.id as string;

  /** kill -9 of the worker that makes the answer; the other one is there to go on. */
  const killItsWorker = async (id: string): Promise<void> => {
    const name = (await readJob(stack, id)).attempts.at(-1)?.worker ?? '';
    const worker = stack.workers.find(({ child }) => name.includes(`:${child.pid}:`));
    expect(worker).toBeDefined();
    await worker?.kill();
    stack.workers.splice(stack.workers.indexOf(worker as never), 1);
    await stack.addWorker();
  };

  it('a reader of an answer whose worker is killed', IN_TURN, async () => {
    const before = stack.simulator.ledger().length;
    const seen: Event[] = [];
    const reading = collect(await create('Tell of mills, at length.'), seen).catch((error: unknown) => error);
    await eventually('it is in the middle', () => seen.length > 15);
    const id = idOf(seen);
    await killItsWorker(id);
    const outcome = await reading;
    if (background === 'on') {
      // Carried on with: no gap, no double, and paid once.
      expect(outcome).toBe(seen);
      expectWhole(seen);
      expect(stack.simulator.ledger().length - before).toBe(1);
    } else {
      expect(outcome).toMatchObject({ code: 'attempt_replaced' });
      const again = await collect(await client.responses.retrieve(id, { stream: true }));
      expectWhole(again);
      const { attempts } = await readJob(stack, id);
      expect(attempts.filter(({ possibly_billed }) => possibly_billed)).toHaveLength(1);
    }
  });

  it('a client whose API process is killed goes on at another, after its last event', IN_TURN, async () => {
    const doomed = await startRole('api', stack.env);
    const there = new OpenAI({ baseURL: `${doomed.url}/v1`, apiKey: 'any', maxRetries: 0 });
    const seen: Event[] = [];
    const reading = collect(
      await there.responses.create({ model: 'sim-1', input: 'Tell of races.', stream: true }),
      seen,
    ).catch(() => undefined);
    await eventually('it is in the middle', () => seen.length > 15);
    await doomed.kill();
    await reading;
    const after = seen.at(-1)?.sequence_number as number;
    await collect(await client.responses.retrieve(idOf(seen), { stream: true, starting_after: after }), seen);
    expectWhole(seen);
  });

  it('resumed after any event, while it runs and afterwards, it is the rest of the same stream', IN_TURN, async () => {
    const whole: Event[] = [];
    const reading = collect(await create('Tell of wheels.'), whole);
    await eventually('it has begun', () => whole.length > 5);
    const id = idOf(whole);
    const rest = (after: number) =>
      client.responses.retrieve(id, { stream: true, starting_after: after }).then((events) => collect(events));
    const live = Array.from({ length: 20 }, (_, i) => rest(Math.min(i, whole.length - 1)));
    await reading;
    expectWhole(whole);
    for (const [i, events] of (await Promise.all(live)).entries()) {
      expect(events, `after ${i}`).toEqual(whole.slice((events[0] as Event).sequence_number));
    }
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 2 }), async (after) => {
        expect(await rest(after)).toEqual(whole.slice(after + 1));
      }),
      { numRuns: 30 },
    );
  });
});
