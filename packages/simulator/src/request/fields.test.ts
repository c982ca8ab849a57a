import type { ResponseCreateParams } from 'openai/resources/responses/responses';
import { expect, test } from 'vitest';
import { type FIELDS, ruleOf } from './fields.ts';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

test('the known fields are the ones of the SDK, no more and no fewer', () => {
  const same: Same<keyof ResponseCreateParams, keyof typeof FIELDS> = true;
  expect(same).toBe(true);
  expect(ruleOf('input')).toBeDefined();
  expect(ruleOf('messages')).toBeUndefined();
});

test('names that every object has are no fields', () => {
  expect(ruleOf('constructor')).toBeUndefined();
  expect(ruleOf('__proto__')).toBeUndefined();
});
