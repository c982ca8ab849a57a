import { expect, it } from 'vitest';
import { openTally } from './tally.ts';

const calls = (n: number): object[] => Array.from({ length: n }, () => ({}));
const started = (n: number, recovering = false) => {
  const tally = openTally(() => recovering);
  const all = calls(n);
  for (const call of all) tally.started(call);
  return { tally, all: all as [object, object, object, ...object[]] };
};

it('results come in the order they ended, and once', () => {
  const { tally, all } = started(3);
  tally.ended(all[0], true);
  tally.ended(all[1], true);
  tally.ended(all[2], false);
  expect(tally.take()).toBe('++-');
  expect(tally.empty()).toBe(true);
});

it('a call that outlived one that started later counts before it, and not again when it succeeds', () => {
  const { tally, all } = started(3);
  tally.ended(all[2], false);
  tally.ended(all[0], true);
  expect(tally.take()).toBe('~~-');
});

it('but counts again when it fails after all', () => {
  const { tally, all } = started(3);
  tally.ended(all[2], false);
  tally.ended(all[1], false);
  tally.ended(all[0], false);
  expect(tally.take()).toBe('~~---');
});

it('calls that started later than the failed one are not judged by it', () => {
  const { tally, all } = started(3);
  tally.ended(all[0], false);
  expect(tally.take()).toBe('-');
});

it('while it recovers every success is told, for it lets others start; and a call that was called off', () => {
  const { tally, all } = started(3, true);
  tally.ended(all[2], false);
  tally.ended(all[0], true);
  tally.ended(all[1], null);
  expect(tally.take()).toBe('~~-+0');
});

it('a failure is urgent, a success is not, unless others wait for it', () => {
  const well = started(3);
  well.tally.ended(well.all[0], true);
  expect(well.tally.urgent()).toBe(false);
  well.tally.ended(well.all[1], false);
  expect(well.tally.urgent()).toBe(true);
  const recovering = started(3, true);
  expect(recovering.tally.urgent()).toBe(false);
  recovering.tally.ended(recovering.all[0], true);
  expect(recovering.tally.urgent()).toBe(true);
});

it('holds no more than the sample', () => {
  const { tally, all } = started(1000);
  for (const call of all) tally.ended(call, true);
  expect(tally.take()).toHaveLength(20);
});
