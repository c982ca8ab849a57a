import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newJobId } from '@millrace/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BOUNDS } from './index-bounds.ts';
import { type IndexDesk, openDesk } from './index-desk.ts';
import type { IndexRow } from './row-of-job.ts';

let folder: string;
let told: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-desk-'));
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PATH = 'jobs.sqlite';
const open = (bounds = BOUNDS): IndexDesk => openDesk(folder, bounds, (what) => told.push(what));
const START = Date.now() - 1_000_000;

const row = (place: number): IndexRow => ({
  id: newJobId('24cacf50'),
  queue: 'generate',
  type: 'generate',
  model: 'm',
  key: null,
  status: 'completed',
  createdAt: START + place,
  finishedAt: START + place + 1,
  batch: null,
  flow: null,
  retryOf: null,
  retried: false,
  tokens: 1,
  cause: null,
  metadata: [['place', String(place)]],
  prompt: Array.from({ length: 100 }, (_, word) => `word${place}x${word}`).join(' '),
  output: 'same',
});

const rows = (count: number): IndexRow[] => Array.from({ length: count }, (_, place) => row(place));
const write = (desk: IndexDesk, some: IndexRow[]) => desk.write({ queue: 'generate', rows: some, removed: [] });

it('a file of another version is made anew, and that is told', () => {
  const desk = open();
  desk.begin('one', null);
  write(desk, rows(1));
  desk.close();
  const db = new DatabaseSync(join(folder, PATH));
  db.exec('PRAGMA user_version = 99');
  db.close();
  const again = open();
  expect(told).toEqual(['The index of jobs is made anew: it is of another version']);
  expect(again.progress()).toMatchObject({ identity: null, totals: { jobs: 0 } });
  again.close();
});

it('a folder that was removed is made anew, and an index that could not be made is, as soon as it can', () => {
  const desk = open();
  desk.begin('one', null);
  write(desk, rows(1));
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in its place');
  expect(() => desk.begin('other', 'it was of other data')).toThrow('exist');
  expect(() => desk.progress()).toThrow('exist');
  rmSync(folder);
  expect(desk.progress()).toMatchObject({ identity: null, totals: { jobs: 0 } });
  desk.begin('other', null);
  expect(write(desk, rows(2))).toMatchObject({ jobs: 2 });
  desk.close();
});

const damage = (from: number): void => {
  const path = join(folder, PATH);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(statSync(path).size - from, 0x5a), 0, undefined, from);
  closeSync(file);
};

it.each([0, 4096, 64 * 1024])('a file that is damaged from byte %i on is made anew, and goes on', (from) => {
  const desk = open();
  desk.begin('one', null);
  write(desk, rows(500));
  desk.close();
  damage(from);
  const again = open();
  // Where the damage was not seen at once, it is when what is damaged is needed.
  if (told.length === 0) {
    expect(() => {
      again.find({ text: 'same' }, 500, null);
      write(again, rows(500));
    }).toThrow();
  }
  expect(told).toEqual(['The index of jobs is made anew: it was damaged']);
  again.begin('one', null);
  expect(write(again, rows(3)).jobs).toBe(3);
  expect(again.find({ text: 'same' }, 10, null).ids).toHaveLength(3);
  again.close();
});

it('the file stays within its bytes: the oldest jobs go', () => {
  const bytes = 3 * 1024 * 1024;
  const desk = open({ ...BOUNDS, bytes });
  desk.begin('one', null);
  const all = rows(6000);
  let most = 0;
  for (let at = 0; at < all.length; at += 100) most = Math.max(most, write(desk, all.slice(at, at + 100)).bytes);
  const { totals } = desk.progress();
  expect(most).toBeLessThan(1.5 * bytes);
  expect(totals.jobs).toBeGreaterThan(100);
  expect(totals.jobs).toBeLessThan(all.length);
  expect(desk.find({}, 1, null).ids).toEqual([all.at(-1)?.id]);
  expect(desk.find({ metadata: { place: '0' } }, 1, null).ids).toEqual([]);
  expect(totals.since).toBe(totals.floor + 1);
  desk.close();
});

it('jobs of the same millisecond keep a place each, however many there are', () => {
  const desk = open();
  desk.begin('one', null);
  const many = Array.from({ length: 1500 }, () => ({ ...row(0), prompt: '' }));
  write(desk, many);
  expect(write(desk, many).jobs).toBe(1500);
  expect(new Set(desk.find({}, 2000, null).ids).size).toBe(1500);
  desk.close();
});
