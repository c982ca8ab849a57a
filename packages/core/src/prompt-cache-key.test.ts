import { expect, test } from 'vitest';
import { z } from 'zod';
import { extractRequest } from './extract-request.ts';
import type { ResponsesBody } from './job.ts';
import { isCacheable, promptCacheKey, promptPrefix } from './prompt-cache-key.ts';
import { tool, withRegistered } from './tool.ts';

const keyOf = (body: ResponsesBody): string | null => {
  const prefix = promptPrefix(body);
  return prefix === null ? null : promptCacheKey(prefix);
};
const format = (schema: object) => ({ format: { type: 'json_schema', name: 's', schema, strict: true } });

test('what begins alike has one key, whatever is asked; a bare prompt has none', () => {
  const one = keyOf({ model: 'm', instructions: 'Be brief.', input: 'One?', metadata: { id: '1' }, user: 'a' });
  expect(one).toMatch(/^mr-[0-9a-f]{32}$/);
  expect(keyOf({ instructions: 'Be brief.', input: [{ role: 'user', content: 'Two?' }], temperature: 0 })).toBe(one);
  for (const bare of [{ input: 'x' }, { input: [{ role: 'user', content: 'x' }], tools: [], instructions: '' }, {}]) {
    expect(keyOf(bare)).toBeNull();
  }
  expect(keyOf({ input: 'x', text: { format: { type: 'text' } } })).toBeNull();
});

test('instructions, tools, schema and the messages that the input begins with each make another key', () => {
  const [weather, time] = ['weather', 'time'].map((name) => ({ type: 'function', name }));
  const told = (content: string) => [
    { role: 'developer', content },
    { role: 'user', content: 'x' },
  ];
  const bodies: ResponsesBody[] = [
    { instructions: 'a' },
    { instructions: 'b' },
    { tools: [weather] },
    { tools: [weather, time] },
    { tools: [time, weather] },
    { text: format({ type: 'object' }) },
    { text: format({ type: 'string' }) },
    { input: told('a') },
    { input: told('b') },
    { instructions: 'a', input: told('b') },
  ];
  expect(new Set(bodies.map(keyOf)).size).toBe(bodies.length);
  // What is said later is no beginning.
  expect(keyOf({ input: [...told('a'), { role: 'system', content: 'later' }] })).toBe(keyOf({ input: told('a') }));
});

test('every document of one extraction has one prefix: instructions and schema come first, the document last', () => {
  const schema = { name: 's', schema: { type: 'object', properties: {} } };
  const ask = (document: string) => extractRequest({ document, schema: 's', instructions: 'Euros.' }, schema);
  expect(promptPrefix(ask('one'))).toBe(promptPrefix(ask('two')));
  expect(Object.keys(ask('one'))).toEqual(['instructions', 'input', 'text']);
  expect(promptPrefix(ask('one'))).not.toContain('one');
});

test('registered tools are sent byte for byte alike each time, in the order they were asked for', () => {
  const made = () => ({
    b: tool({ description: 'B', parameters: z.object({ y: z.string(), x: z.number() }), run: () => 1 }),
    a: tool({ parameters: z.object({ z: z.string() }), run: () => 1 }),
  });
  const asked = [
    { type: 'function', name: 'a' },
    { type: 'function', name: 'b' },
  ];
  const sent = JSON.stringify(withRegistered(asked, made()));
  expect(JSON.stringify(withRegistered(structuredClone(asked), made()))).toBe(sent);
  const { a, b } = made();
  expect(JSON.stringify(withRegistered(asked, { a, b }))).toBe(sent);
  expect((withRegistered(asked, made()) as { name: string }[]).map(({ name }) => name)).toEqual(['a', 'b']);
});

test('a prefix can be cached from 1,024 tokens of four characters on', () => {
  expect(isCacheable('x'.repeat(4095))).toBe(false);
  expect(isCacheable('x'.repeat(4096))).toBe(true);
});
