import type { ResponsesBody } from '@millrace/core';
import { expect, it } from 'vitest';
import { searchLeaders } from './find-leaders.ts';

const long = (name: string): string => `${name} `.padEnd(8000, 'rules ');
const found = (requests: readonly ResponsesBody[]): number[] => {
  const search = searchLeaders({});
  for (const [place, request] of requests.entries()) search.note(place, request);
  return search.found();
};
const times = (count: number, request: ResponsesBody): ResponsesBody[] => Array.from({ length: count }, () => request);

it('the first of each long beginning that five or more share goes ahead, in the order of the input', () => {
  const a = { instructions: long('a') };
  const b = { input: [{ role: 'system', content: long('b') }] };
  expect(found([{ input: 'bare' }, a, b, ...times(4, b), ...times(4, a)])).toEqual([1, 2]);
  expect(found(times(4, a))).toEqual([]);
});

it('what is too short to be cached, or shared only in what is asked, sends nobody ahead', () => {
  expect(found(times(50, { instructions: 'Be brief.' }))).toEqual([]);
  expect(found(times(50, { input: long('document') }))).toEqual([]);
  expect(found(Array.from({ length: 50 }, (_, n) => ({ instructions: long(`request ${n}`) })))).toEqual([]);
});

it('models and keys of their own are beginnings of their own', () => {
  const one = { instructions: long('a'), model: 'm' };
  expect(found([...times(3, one), ...times(3, { ...one, model: 'n' })])).toEqual([]);
  expect(found([...times(5, one), ...times(5, { ...one, prompt_cache_key: 'k' })])).toEqual([0, 5]);
});

it('however many beginnings there are, at most 500 go ahead: those that the most share', () => {
  const requests = Array.from({ length: 600 }, (_, n) => times(n < 100 ? 5 : 6, { instructions: long(`${n}`) })).flat();
  const leaders = found(requests);
  expect(leaders).toHaveLength(500);
  expect(leaders[0]).toBe(500);
});
