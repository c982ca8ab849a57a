/** A job's events on real Redis: stored under a fence, and read by whoever comes, from wherever, once and whole. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome, settleAttempt } from '../attempt.ts';
import { cancelJob } from '../cancel.ts';
import { removeJob } from '../retention.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, RETRY, submitOne } from '../testing/stored.ts';
import { appendEvents, type EventsEntry } from './append-events.ts';
import { ENTRY_BYTES, EVENTS_BYTES } from './bounds.ts';
import { type Followed, followJob } from './follow-job.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const frame = (n: number): string => `event: e\ndata: {"n":${n}}\n\n`;
/** Events from `first` to before `end`, in one entry. */
const entry = (first: number, end: number): EventsEntry => ({
  first,
  count: end - first,
  frames: Array.from({ length: end - first }, (_, i) => frame(first + i)).join(''),
});
const append = (id: string, epoch: number, entries: EventsEntry[], fresh = true) =>
  appendEvents(store, queueOf(store), id, epoch, { entries, fresh, checkpoint: null });
const numbersIn = (frames: string): number[] => [...frames.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n));

interface Reader {
  numbers: number[];
  last: Followed | undefined;
  done: Promise<void>;
  stop(): void;
}
function read(id: string, after = -1, from = store): Reader {
  const over = new AbortController();
  const reader: Reader = { numbers: [], last: undefined, done: Promise.resolve(), stop: () => over.abort() };
  reader.done = (async () => {
    for await (const next of followJob(from, queueOf(from), id, after, over.signal)) {
      reader.last = next;
      if (next.kind === 'events') reader.numbers.push(...numbersIn(next.frames));
    }
  })();
  return reader;
}
const streamed = (sequence: number, entries: EventsEntry[]) => ({ sequence, fresh: true, entries });

describe('what an attempt stores', () => {
  it('is refused once another attempt has begun, or the job has ended', async () => {
    const id = await submitOne(store);
    const first = await begin(store, id);
    expect((await append(id, first.epoch, [entry(0, 2)])).reply).toBe('written');
    await settleAttempt(store, queueOf(store), id, first.epoch, RETRY, 0);
    const second = await begin(store, id);
    expect((await append(id, first.epoch, [entry(2, 4)])).reply).toBe('stale');
    expect((await append(id, second.epoch, [entry(0, 1)])).reply).toBe('written');
    await cancelJob(store, id);
    expect((await append(id, second.epoch, [entry(1, 2)])).reply).toBe('terminal');
    expect((await append(`${id.slice(0, -4)}0000`, 1, [entry(0, 1)])).reply).toBe('missing');
  });

  it('is there once, also where the same command is sent again', async () => {
    const id = await submitOne(store);
    const { epoch } = await begin(store, id);
    for (let i = 0; i < 3; i++) await append(id, epoch, [entry(0, 2), entry(2, 5)]);
    await append(id, epoch, [entry(5, 6)]);
    await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED, { streamed: streamed(6, []) });
    const reader = read(id);
    await reader.done;
    expect(reader.numbers).toEqual([0, 1, 2, 3, 4, 5]);
    expect(reader.last).toMatchObject({ kind: 'end', sequence: 6 });
  });

  it('is bounded: the oldest go, who reads along misses nothing, who comes later is told', async () => {
    const id = await submitOne(store);
    const { epoch } = await begin(store, id);
    const along = read(id);
    const pieces = Math.ceil(EVENTS_BYTES / ENTRY_BYTES) + 40;
    for (let n = 0; n < pieces; n += 20) {
      const entries = Array.from({ length: 20 }, (_, i) => ({
        first: n + i,
        count: 1,
        frames: `event: e\ndata: {"n":${n + i},"x":"${'x'.repeat(ENTRY_BYTES)}"}\n\n`,
      }));
      await append(id, epoch, entries);
      await eventually('it was read', () => along.numbers.length === n + 20);
    }
    const late = read(id);
    await late.done;
    expect(late.last?.kind).toBe('trimmed');
    const total = along.numbers.length;
    const near = read(id, total - 5);
    await eventually('the rest was read', () => near.numbers.length === 4);
    await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED, { streamed: streamed(total, []) });
    await Promise.all([along.done, near.done]);
    expect(along.numbers).toEqual(along.numbers.map((_, index) => index));
    expect(along.last?.kind).toBe('end');
    // And when all is over, it is made of the answer.
    const afterwards = read(id);
    await afterwards.done;
    expect(afterwards.last?.kind).toBe('unstreamed');
  }, 60_000);
});

describe('a reader', () => {
  it('that comes at any time, after any event, has exactly the rest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.record({ step: fc.nat({ max: 12 }), back: fc.nat({ max: 20 }) }), { maxLength: 5 }),
        fc.nat({ max: 3 }),
        async (sizes, comers, withEnd) => {
          const id = await submitOne(store);
          const { epoch } = await begin(store, id);
          const readers: { after: number; reader: Reader }[] = [];
          let next = 0;
          const held = Math.min(withEnd, sizes.length);
          const comeAt = (step: number): void => {
            for (const { step: when, back } of comers) {
              if (Math.min(when, sizes.length) !== step) continue;
              const after = Math.max(-1, next - 1 - back);
              readers.push({ after, reader: read(id, after) });
            }
          };
          for (const [step, size] of sizes.slice(0, sizes.length - held).entries()) {
            comeAt(step);
            await append(id, epoch, [entry(next, next + size)]);
            next += size;
          }
          const rest: EventsEntry[] = [];
          for (const [i, size] of sizes.slice(sizes.length - held).entries()) {
            comeAt(sizes.length - held + i);
            rest.push(entry(next, next + size));
            next += size;
          }
          await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED, { streamed: streamed(next, rest) });
          comeAt(sizes.length);
          for (const { after, reader } of readers) {
            await reader.done;
            expect(reader.numbers).toEqual(Array.from({ length: next - after - 1 }, (_, i) => after + 1 + i));
            expect(reader.last).toMatchObject({ kind: 'end', sequence: next });
          }
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('of an attempt that another one replaces is told so', async () => {
    const id = await submitOne(store);
    const first = await begin(store, id);
    await append(id, first.epoch, [entry(0, 3)]);
    const reader = read(id);
    await eventually('it was read', () => reader.numbers.length === 3);
    await settleAttempt(store, queueOf(store), id, first.epoch, RETRY, 0);
    const second = await begin(store, id);
    await append(id, second.epoch, [entry(0, 1)]);
    await reader.done;
    expect(reader.last).toMatchObject({ kind: 'replaced', sequence: 3 });
    const again = read(id);
    await finishByOutcome(store, queueOf(store), id, second.epoch, COMPLETED, { streamed: streamed(2, [entry(1, 2)]) });
    await again.done;
    expect(again.numbers).toEqual([0, 1]);
  });

  it('of an answer that is not the one that was streamed is told so, and later ones get that answer', async () => {
    const id = await submitOne(store);
    const { epoch } = await begin(store, id);
    await append(id, epoch, [entry(0, 3)]);
    const reader = read(id);
    await eventually('it was read', () => reader.numbers.length === 3);
    await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED);
    await reader.done;
    expect(reader.last?.kind).toBe('replaced');
    const later = read(id);
    await later.done;
    expect(later.last?.kind).toBe('unstreamed');
  });

  it('of a job that fails, is cancelled or is removed is told how it stands', async () => {
    const ends = {
      failed: (id: string, epoch: number) => finishByOutcome(store, queueOf(store), id, epoch, FAILED),
      cancelled: (id: string) => cancelJob(store, id),
    };
    for (const [status, end] of Object.entries(ends)) {
      const id = await submitOne(store);
      const { epoch } = await begin(store, id);
      await append(id, epoch, [entry(0, 2)]);
      const reader = read(id);
      await eventually('it was read', () => reader.numbers.length === 2);
      await end(id, epoch);
      await reader.done;
      expect(reader.last).toMatchObject({ kind: 'end', sequence: 2, found: { job: { status } } });
      const beyond = read(id, 1);
      await beyond.done;
      expect(beyond.last).toMatchObject({ kind: 'end', sequence: 2 });
      await removeJob(store, queueOf(store), id);
      const gone = read(id);
      await gone.done;
      expect(gone.last?.kind).toBe('gone');
    }
  });

  it('stays while Redis is silent for a moment, and goes on where it was', async () => {
    const id = await submitOne(store);
    const { epoch } = await begin(store, id);
    await append(id, epoch, [entry(0, 3)]);
    const hasty = await openTestStore(redis.url, { kind: 'hasty' });
    const reader = read(id, -1, hasty);
    await eventually('it was read', () => reader.numbers.length === 3);
    process.kill(redis.pid, 'SIGSTOP');
    await eventually('the silence is noticed', () => !hasty.liveness.alive());
    process.kill(redis.pid, 'SIGCONT');
    await append(id, epoch, [entry(3, 5)]);
    await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED, { streamed: streamed(5, []) });
    await reader.done;
    expect(reader.numbers).toEqual([0, 1, 2, 3, 4]);
    expect(reader.last).toMatchObject({ kind: 'end', sequence: 5 });
    await hasty.close();
  });

  it('that leaves is waited for by nobody', async () => {
    const id = await submitOne(store);
    const reader = read(id);
    await eventually('it waits', async () => (await store.redis.pubsub('NUMSUB', `mr:told:${id}`))[1] === 1);
    reader.stop();
    await reader.done;
    await eventually('nobody listens', async () => (await store.redis.pubsub('NUMSUB', `mr:told:${id}`))[1] === 0);
  });
});
