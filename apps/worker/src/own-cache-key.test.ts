import type { Outcome } from '@millrace/core';
import { expect, it } from 'vitest';
import { eventsWithoutKey, outcomeWithoutKey, ownCacheKey } from './own-cache-key.ts';

const KEY = ownCacheKey({ instructions: 'Be brief.', input: 'x' }) as string;
const completed = (key: unknown): Outcome => ({
  kind: 'completed',
  answer: { response: { id: 'r', object: 'response', prompt_cache_key: key }, output_text: 'x', usage: null },
});

it('a request that names its own key, or is a bare prompt, gets none', () => {
  expect(KEY).toMatch(/^mr-/);
  expect(ownCacheKey({ instructions: 'Be brief.', prompt_cache_key: null })).toBe(KEY);
  expect(ownCacheKey({ instructions: 'Be brief.', prompt_cache_key: 'mine' })).toBeNull();
  expect(ownCacheKey({ input: 'x' })).toBeNull();
});

it('an answer tells the key as it was asked for; what the upstream never told is not told', () => {
  expect(outcomeWithoutKey(completed(KEY), KEY)).toEqual(completed(null));
  for (const other of ['theirs', undefined]) expect(outcomeWithoutKey(completed(other), KEY)).toEqual(completed(other));
  const cancelled: Outcome = { kind: 'cancelled', possiblyBilled: false };
  expect(outcomeWithoutKey(cancelled, KEY)).toBe(cancelled);
});

it('events tell it so too, and what the model says is left alone', () => {
  const told: string[] = [];
  const listen = eventsWithoutKey((_, data) => void told.push(data), KEY);
  listen('response.created', `{"response":{"id":"r","prompt_cache_key": "${KEY}","text":"${KEY}"}}`);
  const said = JSON.stringify({ delta: `"prompt_cache_key":"${KEY}"` });
  listen('response.output_text.delta', said);
  expect(told).toEqual([`{"response":{"id":"r","prompt_cache_key":null,"text":"${KEY}"}}`, said]);
});
