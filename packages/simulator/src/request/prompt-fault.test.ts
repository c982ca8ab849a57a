import { expect, test } from 'vitest';
import { createOccurrences } from '../calls/random.ts';
import { choosePromptFault } from './prompt-fault.ts';
import { readCreateRequest } from './validate.ts';

function counter() {
  const counted = createOccurrences(100);
  return (input: unknown, model = 'gpt-5') =>
    choosePromptFault(readCreateRequest({ model, input }, { background: true }), counted)?.kind;
}

const user = (content: unknown) => ({ role: 'user', content });

test('a counted fault hits the first call, and not the one that asks again after the answer', () => {
  const choose = counter();
  const first = user([{ type: 'input_text', text: 'Total: 42 [[fault:badschema x1]]' }]);
  expect(choose([{ role: 'developer', content: 'Extract.' }, first])).toBe('badschema');
  const again = [first, { role: 'assistant', content: '{}' }, user('That misses the schema.')];
  expect(choose(again)).toBeUndefined();
  expect(choose('Total: 42 [[fault:badschema x1]]')).toBeUndefined();
});

test('other texts and other models are counted on their own', () => {
  const choose = counter();
  expect(choose('One [[fault:500 x1]]')).toBe('500');
  expect(choose('Two [[fault:500 x1]]')).toBe('500');
  expect(choose('One [[fault:500 x1]]', 'gpt-5-mini')).toBe('500');
  expect(choose('One [[fault:500 x1]]')).toBeUndefined();
});

test('a later turn’s own fault hits it, after what is left of the earlier one', () => {
  const choose = counter();
  const first = user('[[fault:500 x2]] Hello');
  expect(choose([first])).toBe('500');
  const next = [first, { role: 'assistant', content: 'Hi' }, user('[[fault:429 x1]] And now?')];
  expect([choose(next), choose(next), choose(next)]).toEqual(['500', '429', undefined]);
});
