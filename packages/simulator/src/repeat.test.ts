import fc from 'fast-check';
import OpenAI, { APIError } from 'openai';
import { expect, test } from 'vitest';
import { type Fault, startSimulator } from './index.ts';

const FAULTS: Fault[] = [
  { kind: '500', probability: 0.1 },
  { kind: '429', probability: 0.1 },
  { kind: 'failed', probability: 0.1 },
];

/** What each prompt, asked twice, came to: id and text, or the error. */
async function run(prompts: string[], seed: number): Promise<Record<string, readonly unknown[]>> {
  const simulator = await startSimulator({ seed, faults: FAULTS, latencyMs: [0, 5] });
  const client = new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 });
  const ask = async (input: string): Promise<unknown> => {
    try {
      const { id, status, output_text } = await client.responses.create({ model: 'gpt-5', input });
      return { id, status, output_text };
    } catch (error) {
      if (error instanceof APIError) return error.status;
      throw error;
    }
  };
  const pairs = await Promise.all(
    prompts.map(async (prompt) => [prompt, [await ask(prompt), await ask(prompt)]] as const),
  );
  await simulator.close();
  return Object.fromEntries(pairs);
}

test('the same seed and requests give the same ids, answers and faults in any order; another seed does not', async () => {
  const prompts = Array.from({ length: 60 }, (_, index) => `Question ${index}`);
  const shuffled =
    fc.sample(fc.shuffledSubarray(prompts, { minLength: prompts.length }), { numRuns: 1, seed: 42 })[0] ?? [];
  const first = await run(prompts, 7);
  expect(await run(shuffled, 7)).toEqual(first);
  expect(await run(prompts, 8)).not.toEqual(first);
  const outcomes = Object.values(first).flat();
  const faulty = outcomes.filter((outcome) => typeof outcome === 'number').length;
  expect(faulty).toBeGreaterThan(5);
  expect(faulty).toBeLessThan(60);
});

test('asked again, the answer is the same under another id', async () => {
  const simulator = await startSimulator();
  const client = new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 });
  const ask = () => client.responses.create({ model: 'gpt-5', input: 'Same question' });
  const [first, second] = [await ask(), await ask()];
  expect(second.output_text).toBe(first.output_text);
  expect(second.id).not.toBe(first.id);
  await simulator.close();
});
