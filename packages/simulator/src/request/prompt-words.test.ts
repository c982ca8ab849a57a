import { expect, test } from 'vitest';
import { readPromptWords, withoutPromptWords } from './prompt-words.ts';

test('a fault without a count hits every call', () => {
  expect(readPromptWords('x [[fault:500]]', 0).fault).toEqual({ kind: '500' });
  expect(readPromptWords('x [[fault:500]]', 99).fault).toEqual({ kind: '500' });
});

test('counted faults come one after the other, then none', () => {
  const prompt = '[[fault:500 x2]] then [[fault:429 x1 after=90]] and an answer';
  const kinds = [0, 1, 2, 3].map((nth) => readPromptWords(prompt, nth).fault);
  expect(kinds).toEqual([{ kind: '500' }, { kind: '500' }, { kind: '429', afterSeconds: 90 }, undefined]);
});

test('settings, slowness and calls are read', () => {
  const words = readPromptWords('[[fault:failed code=invalid_prompt]] [[slow:250]] [[call:look_up]]', 0);
  expect(words).toEqual({ fault: { kind: 'failed', code: 'invalid_prompt' }, slowMs: 250, calls: ['look_up'] });
});

test('how often a retrieve fails is read, once at least', () => {
  expect(readPromptWords('[[fault:unreadable times=3]]', 0).fault).toEqual({ kind: 'unreadable', times: 3 });
  expect(() => readPromptWords('[[fault:unreadable times=0]]', 0)).toThrow("Unknown fault setting 'times=0'");
});

test('a mistyped fault is refused, never ignored', () => {
  expect(() => readPromptWords('[[fault:501]]', 0)).toThrow("Unknown fault '501'");
  expect(() => readPromptWords('[[fault:500 twice]]', 0)).toThrow("Unknown fault setting 'twice'");
});

test('the words never show in what is answered from', () => {
  expect(withoutPromptWords('a [[fault:500 x2]][[slow:10]] b [[call:f]]')).toBe('a  b');
  expect(withoutPromptWords('[[wiki link]]')).toBe('[[wiki link]]');
});
