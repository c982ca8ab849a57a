import { expect, test } from 'vitest';
import { saidText } from './said-text.ts';

const user = (content: string) => ({ role: 'user', content });
const assistant = { role: 'assistant', content: 'Yes.' };

test('what is to be said is said once: an answer uses up the word it answers', () => {
  expect(saidText('[[say:one]]')).toBe('one');
  expect(saidText([user('[[say:one]] [[say:two]]')])).toBe('one');
  expect(saidText([user('[[say:one]] [[say:two]]'), assistant, user('Again')])).toBe('two');
  expect(saidText([user('[[say:one]]'), assistant, user('Again')])).toBeUndefined();
  expect(saidText([user('[[say:one]]'), assistant, user('Again'), assistant, user('[[say:late]]')])).toBe('late');
});

test('function calls and their outputs leave it waiting', () => {
  const call = { type: 'function_call', name: 'f', call_id: 'call_1', arguments: '{}' };
  const output = { type: 'function_call_output', call_id: 'call_1', output: 'found' };
  expect(saidText([user('[[say:done]]'), call, output])).toBe('done');
});
