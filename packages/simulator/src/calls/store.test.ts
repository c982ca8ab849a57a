import { expect, test } from 'vitest';
import { readCreateRequest } from '../request/validate.ts';
import type { Call } from './call.ts';
import { startRun } from './run.ts';
import { createStore } from './store.ts';

function callOf(id: string, text: string, changes: object = {}): Call {
  const request = readCreateRequest({ model: 'gpt-5', input: text, ...changes }, { background: true });
  return {
    id,
    api: 'responses',
    request,
    bodyCharacters: text.length,
    answer: { items: [{ kind: 'text', text: 'ok' }], outputTokens: 1, incomplete: false },
    inputTokens: 1,
    cachedTokens: 0,
    createdAtMs: 0,
    streamEvents: undefined,
    retrieveId: id,
    gone: false,
    stuck: false,
    unreadable: 0,
    status: 'in_progress',
    visibleEvents: 0,
  };
}

function finishInto(store: ReturnType<typeof createStore>, call: Call): void {
  const run = startRun(call, { latencyMs: 0, tokensPerSecond: undefined }, (ended) => store.ended(ended));
  store.add(run);
}

test('the oldest finished responses go first, by number and by size', () => {
  const byNumber = createStore(2, Number.POSITIVE_INFINITY);
  for (const id of ['a', 'b', 'c']) finishInto(byNumber, callOf(id, 'x'));
  expect(['a', 'b', 'c'].map((id) => byNumber.get(id)?.id)).toEqual([undefined, 'b', 'c']);
  const bySize = createStore(100, 20_000);
  for (const id of ['a', 'b', 'c']) finishInto(bySize, callOf(id, 'x'.repeat(7000)));
  expect(['a', 'b', 'c'].map((id) => bySize.get(id)?.id)).toEqual([undefined, 'b', 'c']);
  expect(bySize.finished).toBe(2);
});

test('store: false is kept nowhere', () => {
  const store = createStore(10, Number.POSITIVE_INFINITY);
  finishInto(store, callOf('a', 'x', { store: false }));
  expect(store.get('a')).toBeUndefined();
});

test('a background response deleted while it runs does not come back', () => {
  const store = createStore(10, Number.POSITIVE_INFINITY);
  const call = callOf('a', 'x', { background: true });
  const run = startRun(call, { latencyMs: 60_000, tokensPerSecond: undefined }, (ended) => store.ended(ended));
  store.add(run);
  expect(store.get('a')).toBe(call);
  store.delete('a');
  run.cancel();
  expect(call.status).toBe('cancelled');
  expect(store.get('a')).toBeUndefined();
  expect(store.running.size).toBe(0);
});
