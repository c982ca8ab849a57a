import { expect, test } from 'vitest';
import { createPromptCache } from './prompt-cache.ts';

const MINUTE_MS = 60_000;
const model = 'gpt-5';

/** `tokens` tokens of text that begin with `beginning`. */
function textOf(tokens: number, beginning = ''): string {
  return beginning.padEnd(tokens * 4, 'word');
}

function open(seed = 1) {
  const clock = { ms: 0 };
  const cache = createPromptCache({ seed, charactersPerToken: 4, now: () => clock.ms });
  /** Asks, waits for the answer to begin and tells how much was cached. */
  const ask = (text: string, key?: string, asked = model) => {
    const { cachedTokens, keep } = cache.look({ model: asked, text, key });
    keep();
    return cachedTokens;
  };
  return { clock, cache, ask };
}

test('a prefix of 1,024 tokens or more is hit in steps of 128, a shorter one never', () => {
  const { ask } = open();
  expect([ask(textOf(1023)), ask(textOf(1023))]).toEqual([0, 0]);
  expect([ask(textOf(1300)), ask(textOf(1300))]).toEqual([0, 1280]);
  expect(ask(`${textOf(1200)}and something else: ${textOf(2000)}`)).toBe(1152);
  expect(ask(`${textOf(1023)}x`)).toBe(0);
});

test('requests sent at the same time do not hit each other', () => {
  const { cache } = open();
  const prompt = { model, text: textOf(2000), key: undefined };
  const first = cache.look(prompt);
  const second = cache.look(prompt);
  expect([first.cachedTokens, second.cachedTokens]).toEqual([0, 0]);
  first.keep();
  expect(cache.look(prompt).cachedTokens).toBe(1920);
});

test('keys, no key and models are worlds of their own', () => {
  const { ask } = open();
  const text = textOf(1100);
  expect(ask(text)).toBe(0);
  expect(ask(text, 'a')).toBe(0);
  expect(ask(text, 'b')).toBe(0);
  expect(ask(text, 'a', 'gpt-5-mini')).toBe(0);
  expect([ask(text), ask(text, 'a'), ask(text, 'b')]).toEqual([1024, 1024, 1024]);
});

test('a prefix lives 5 minutes after its last use, and no longer than 10', () => {
  const { clock, ask } = open();
  const text = textOf(1100);
  ask(text);
  for (let use = 0; use < 5; use += 1) {
    clock.ms += 4.9 * MINUTE_MS;
    expect(ask(text)).toBe(1024);
  }
  clock.ms += 10.1 * MINUTE_MS;
  expect(ask(text)).toBe(0);
});

test('beyond 15 requests a minute some land on a machine that has not seen the prompt, the same ones for one seed', () => {
  const run = (seed: number) => {
    const { ask } = open(seed);
    return Array.from({ length: 40 }, () => ask(textOf(1100)));
  };
  const cached = run(3);
  expect(cached.slice(0, 15)).toEqual([0, ...Array(14).fill(1024)]);
  expect(cached.slice(15).filter((tokens) => tokens === 0).length).toBe(3);
  expect(run(3)).toEqual(cached);
});

test('a key holds a burst on one machine', () => {
  const { ask } = open();
  const cached = Array.from({ length: 40 }, () => ask(textOf(1100), 'tenant'));
  expect(cached.filter((tokens) => tokens === 0)).toHaveLength(1);
});
