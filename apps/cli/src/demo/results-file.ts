/** The demo's results: one valid JSON line a document, in the order of the documents, the whole file or none of it. */
import { readFile } from 'node:fs/promises';
import type { ApiJob } from '../api-client.ts';
import { writeAtomically } from '../write-atomically.ts';
import type { PackageFacts } from './extraction.ts';
import type { RunDocument } from './run-state.ts';

export interface ResultLine {
  package: string;
  job_id: string | null;
  status: ApiJob['status'];
  result: PackageFacts | null;
  error: { code: string; message: string } | null;
  usage: ApiJob['usage'];
}

/** What a document came to: its job, or why it has none. */
export function resultLine(document: RunDocument, job: ApiJob | undefined): ResultLine {
  const { package: name, job_id } = document;
  if (job === undefined) {
    const error = document.refused ?? { code: 'job_not_found', message: 'the API knows no such job any more' };
    return { package: name, job_id, status: 'failed', result: null, error, usage: null };
  }
  const result = (job.result?.output_parsed ?? null) as PackageFacts | null;
  return {
    package: name,
    job_id,
    status: job.status,
    result: job.status === 'completed' ? result : null,
    error: job.error,
    usage: job.usage,
  };
}

export async function writeResults(file: string, lines: readonly ResultLine[]): Promise<void> {
  await writeAtomically(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** The results of an earlier run; null where there are none that can be read. */
export async function readResults(file: string): Promise<ResultLine[] | null> {
  try {
    const text = await readFile(file, 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ResultLine);
  } catch {
    // Deleted or edited: as if the demo had not run.
    return null;
  }
}
