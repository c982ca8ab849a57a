import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApiJob } from '../api-client.ts';
import { reasonsOf } from './demo.ts';
import type { PackageFacts } from './extraction.ts';
import { type ResultLine, readResults, resultLine, writeResults } from './results-file.ts';
import { asOneLine, resultsTable, rowsLeftOut } from './results-table.ts';

const facts: PackageFacts = {
  name: 'bullmq',
  purpose: 'The fastest, most reliable, Redis-based distributed queue for Node.',
  license: 'MIT',
  install_command: 'npm install bullmq',
  links: ['https://bullmq.io', 'https://docs.bullmq.io'],
};

const job = (change: Partial<ApiJob>): ApiJob => ({
  id: 'resp_1',
  status: 'completed',
  created_at: 0,
  result: { output_text: JSON.stringify(facts), output_parsed: facts },
  error: null,
  usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
  ...change,
});
const document = (name: string) => ({ package: name, version: '1.0.0', job_id: 'resp_1' });
const answered = (name: string, change: Partial<PackageFacts> = {}) =>
  resultLine(document(name), job({ result: { output_text: '', output_parsed: { ...facts, ...change } } }));
const plain = (text: string) => text;

describe('the results file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-results-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('holds one valid line a document, whatever the document holds, and nothing else beside it', async () => {
    const file = join(folder, 'demo', 'results.jsonl');
    const lines = [
      answered('a', { purpose: 'two\nlines\u2028and "quotes"' }),
      resultLine(document('b'), job({ status: 'failed', result: null, error: { code: 'refusal', message: 'no' } })),
      resultLine({ package: 'c', version: '1', job_id: null, refused: { code: 'too_large', message: 'x' } }, undefined),
    ];
    await writeResults(file, lines);
    const written = readFileSync(file, 'utf8');
    expect(written.endsWith('\n')).toBe(true);
    expect(
      written
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as ResultLine),
    ).toEqual(lines);
    expect(readdirSync(join(folder, 'demo'))).toEqual(['results.jsonl']);
    expect(await readResults(file)).toEqual(lines);
  });

  test('is replaced as a whole by the next run', async () => {
    const file = join(folder, 'results.jsonl');
    await writeResults(file, [answered('a'), answered('b')]);
    await writeResults(file, [answered('c')]);
    expect((await readResults(file))?.map((line) => line.package)).toEqual(['c']);
  });

  test('that is missing or broken counts as none', async () => {
    expect(await readResults(join(folder, 'none.jsonl'))).toBe(null);
    writeFileSync(join(folder, 'broken.jsonl'), '{"package":');
    expect(await readResults(join(folder, 'broken.jsonl'))).toBe(null);
  });
});

describe('a line of the results', () => {
  test('carries the result only of a job that completed', () => {
    expect(resultLine(document('a'), job({})).result).toEqual(facts);
    expect(resultLine(document('a'), job({ status: 'incomplete' })).result).toBe(null);
  });

  test('says why a document has no job', () => {
    const line = resultLine(document('a'), undefined);
    expect(line.status).toBe('failed');
    expect(line.error?.code).toBe('job_not_found');
  });
});

describe('the table', () => {
  test('fits the width it is given, wide or narrow', () => {
    const lines = [answered('a', { purpose: 'long '.repeat(100), install_command: 'npm i '.repeat(50) })];
    for (const width of [60, 80, 110, 200]) {
      for (const row of resultsTable(lines, width, plain).split('\n')) {
        expect(stripVTControlCharacters(row).length, `at ${width}`).toBeLessThanOrEqual(width);
      }
    }
  });

  test('shows each fact, and a dash for what the document does not say', () => {
    const table = resultsTable(
      [answered('bullmq'), answered('x', { license: null, install_command: null })],
      160,
      plain,
    );
    const [, first = '', second = ''] = table.split('\n');
    for (const shown of ['bullmq', 'MIT', 'npm install bullmq', ' 2 ', 'distributed queue'])
      expect(first).toContain(shown);
    expect(second.match(/–/g)).toHaveLength(2);
  });

  test('shows twenty rows and counts the rest', () => {
    const lines = Array.from({ length: 33 }, (_, index) => answered(`package-${index}`));
    expect(resultsTable(lines, 120, plain).split('\n')).toHaveLength(21);
    expect(rowsLeftOut(lines)).toBe(13);
    expect(rowsLeftOut(lines.slice(0, 5))).toBe(0);
  });

  test('is left out where nothing was answered', () => {
    expect(resultsTable([resultLine(document('a'), undefined)], 120, plain)).toBe('');
  });

  test('lets no escape sequence of a document reach the terminal', () => {
    const hostile = 'a\u001b[31m\u001b]0;title\u0007 b\u202Ec\r\nd\u009b2J';
    expect(asOneLine(hostile)).toBe('a[31m]0;title bc d2J');
    const table = resultsTable([answered('a', { purpose: hostile, license: hostile })], 160, plain);
    expect(table.split('\n')).toHaveLength(2);
    expect([...table].every((character) => character === '\n' || !/[\p{Cc}\p{Cf}]/u.test(character))).toBe(true);
  });
});

test('failures are told by kind, the most frequent first, each with an example', () => {
  const failed = (name: string, code: string) =>
    resultLine(document(name), job({ status: 'failed', result: null, error: { code, message: `${code} it was` } }));
  const cancelled = resultLine(document('z'), job({ status: 'cancelled', result: null }));
  expect(reasonsOf([failed('a', 'refusal'), failed('b', 'timeout'), failed('c', 'timeout'), cancelled])).toEqual([
    '2 × timeout: timeout it was (first: b)',
    '1 × refusal: refusal it was (first: a)',
    '1 × cancelled (first: z)',
  ]);
});
