/** The lines of the last hour. */
import { expect, it } from 'vitest';
import { historyView } from './history-view.ts';
import { configOf, figuresOf, groupOf, kindOf, limitOf, MINUTE, minuteOf, NOW } from './testing/figures.ts';

const config = configOf({
  limits: { main: { models: ['m', 'm-mini'] }, other: {} },
  queues: { generate: { model: 'm', limit: 'main' }, extract: { model: 'm', limit: 'other' } },
});
const tokens = (of: Record<string, number>) => ({
  tokens: Object.fromEntries(
    Object.entries(of).map(([model, count]) => [model, { input: count - 1, output: 1, cached: 5 }]),
  ),
});

it('there are none while Redis was never reached', () => {
  expect(historyView(config, null)).toEqual({ times: [], completed: [], failed: [], tokens: [] });
  expect(historyView(config, figuresOf())).toEqual({ times: [], completed: [], failed: [], tokens: [] });
});

it('sum the queues minute by minute; the present minute is the last 60 seconds', () => {
  const finished = { completed: 2, failed: 4, cancelled: 50, incomplete: 1 };
  const minutes = new Map([
    ['generate', [minuteOf(MINUTE - 2, 7), minuteOf(MINUTE - 1, 20), minuteOf(MINUTE, 5)]],
    ['extract', [minuteOf(MINUTE - 2), minuteOf(MINUTE - 1, 0, { finished }), minuteOf(MINUTE, 1)]],
  ]);
  expect(historyView(config, figuresOf({ minutes }))).toEqual({
    times: [MINUTE - 2, MINUTE - 1, MINUTE].map((minute) => minute * 60),
    // What was cut short is an answer too; what was cancelled is neither.
    completed: [7, 23, Math.round(5 + 10 + 1 + 1.5)],
    failed: [0, 4, 2],
    tokens: [],
  });
});

it('tokens are told by what is limited together, with the limit, the most used first', () => {
  const minutes = new Map([
    ['generate', [minuteOf(MINUTE - 1, 0, tokens({ m: 10, 'm-mini': 20 })), minuteOf(MINUTE, 0, tokens({ m: 3 }))]],
    ['extract', [minuteOf(MINUTE - 1, 0, tokens({ m: 100 })), minuteOf(MINUTE)]],
  ]);
  const limits = [
    limitOf(config, 'main', [groupOf('m', { tokens: kindOf({ limit: 1000.9 }) })]),
    limitOf(config, 'other', [groupOf('m')]),
  ];
  expect(historyView(config, figuresOf({ minutes, limits: { now: NOW, limits } })).tokens).toEqual([
    { model: 'm', limit: null, values: [100, 50] },
    { model: 'm', limit: 1000, values: [30, 18] },
  ]);
});

it('of many models the four that used most have a line, the rest are left out', () => {
  const used = Object.fromEntries(Array.from({ length: 9 }, (_, place) => [`n${place}`, 10 + place]));
  const minutes = new Map([['extract', [minuteOf(MINUTE - 1, 0, tokens(used)), minuteOf(MINUTE)]]]);
  const told = historyView(config, figuresOf({ minutes })).tokens;
  expect(told.map(({ model }) => model)).toEqual(['n8', 'n7', 'n6', 'n5']);
});
