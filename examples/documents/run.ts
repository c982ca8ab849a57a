/** A folder of documents to a table: a job a document, sent as NDJSON, and their records as JSON lines and CSV. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { billOf, endedBefore } from '../bill.ts';
import type { Example, Outcome } from '../example.ts';
import { type Job, keyOf, type Millrace } from '../millrace.ts';

const FIELDS = ['kind', 'sender', 'recipient', 'date', 'reference', 'total', 'currency'];

/** What became of a document: its job, or why there is none. */
type Read = { file: string; job: Job } | { file: string; refused: string };

export async function run({ millrace, upstream, out, input, say, shown }: Example): Promise<Outcome> {
  const folder = input ?? join(import.meta.dirname, 'samples');
  const files = readdirSync(folder)
    .filter((name) => /\.(txt|md)$/.test(name))
    .sort();
  if (files.length === 0) throw new Error(`${folder} has no .txt or .md file`);
  say(`${files.length} documents of ${shown(folder)}: a record each`);

  const read = await readAll(millrace, upstream, folder, files);
  const records = read.flatMap((one) =>
    'job' in one && one.job.status === 'completed'
      ? [{ file: one.file, ...(one.job.result?.output_parsed as object), job: one.job.id }]
      : [],
  );
  const failures = read.flatMap((one) => {
    if ('refused' in one) return [{ file: one.file, reason: one.refused }];
    const { status, error, id } = one.job;
    return status === 'completed' ? [] : [{ file: one.file, reason: error?.message ?? status, job: id }];
  });

  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const jsonl = join(out, 'records.jsonl');
  const csv = join(out, 'records.csv');
  const failed = join(out, 'failures.jsonl');
  writeFileSync(jsonl, lines(records));
  // A cell that a spreadsheet would run as a formula is made text: documents are strangers' words.
  writeFileSync(csv, stringify(records, { header: true, columns: ['file', ...FIELDS, 'job'], escape_formulas: true }));
  writeFileSync(failed, lines(failures));
  return {
    results: [
      `${records.length} records: ${shown(jsonl)}, ${shown(csv)}`,
      `${failures.length} failures: ${shown(failed)}`,
    ],
    bill: billOf(
      read.flatMap((one) => ('job' in one ? [one.job] : [])),
      millrace.began,
    ),
    failures: failures.map(({ file, reason }) => `${file}: ${reason}`),
  };
}

/** In the order of the files. One that failed in an earlier run is tried again, under the next key; no other is. */
async function readAll(
  millrace: Millrace,
  upstream: string,
  folder: string,
  files: readonly string[],
): Promise<Read[]> {
  const read = new Map<string, Read>();
  let open = [...files];
  for (let attempt = 1; open.length > 0; attempt++) {
    const jobs = open.map((file) => {
      const job = { type: 'extract', schema: 'letter', document: readFileSync(join(folder, file), 'utf8') };
      return { ...job, metadata: { file }, idempotency_key: keyOf(upstream, { file, ...job }, attempt) };
    });
    for (const [index, line] of (await millrace.submit(jobs)).entries()) {
      const file = open[index] as string;
      if ('error' in line) read.set(file, { file, refused: line.error.message });
      else read.set(file, { file, job: await millrace.ended(line.id) });
    }
    open = open.filter((file) => {
      const one = read.get(file);
      return (
        one !== undefined && 'job' in one && one.job.status !== 'completed' && endedBefore(one.job, millrace.began)
      );
    });
  }
  return files.map((file) => read.get(file) as Read);
}
