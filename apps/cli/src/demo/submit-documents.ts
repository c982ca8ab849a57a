/**
 * Hands the demo's documents to the API, in batches, and writes down the job of each before the next batch goes out.
 * A batch whose answer was lost is sent again under the same idempotency keys: it comes to the same jobs.
 */

import type { ApiClient, SubmitLine } from '../api-client.ts';
import { pause } from '../pause.ts';
import type { Readme } from './collect-readmes.ts';
import { extractionJob } from './extraction.ts';
import type { RunDocument, RunState } from './run-state.ts';

/** Some 300 kB a request. */
const BATCH = 50;
/** Lines that were shed are sent again this often before they count as refused. */
const MAX_PAUSES = 30;
const PAUSE_MS = 1000;
/** OpenAI's types for "not now": the same job may be accepted in a moment. */
const NOT_NOW = new Set(['rate_limit_error', 'server_error']);

interface Open {
  document: RunDocument;
  readme: Readme;
}

/**
 * Submits what has no job yet; `save` is called after each batch.
 * @throws the reason of `signal`, and what the API client throws.
 */
export async function submitDocuments(
  state: RunState,
  readmes: readonly Readme[],
  api: Pick<ApiClient, 'submitJobs'>,
  save: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let open = withText(state, readmes);
  for (let pauses = 0; open.length > 0; ) {
    const batch = open.slice(0, BATCH);
    const lines = await api.submitJobs(batch.map(({ readme }) => extractionJob(readme, state.run)));
    const shed = batch.filter(({ document }, index) => !note(document, lines[index], pauses < MAX_PAUSES));
    await save();
    open = [...shed, ...open.slice(BATCH)];
    if (shed.length === 0) continue;
    pauses++;
    await pause(PAUSE_MS, signal);
  }
}

/** The documents that wait to be submitted, each with its text; one whose package is gone since is refused. */
function withText(state: RunState, readmes: readonly Readme[]): Open[] {
  const texts = new Map(readmes.map((readme) => [readme.package, readme]));
  return state.documents.flatMap((document) => {
    if (document.job_id !== null || document.refused !== undefined) return [];
    const readme = texts.get(document.package);
    if (readme !== undefined) return [{ document, readme }];
    document.refused = { code: 'not_installed', message: 'the package is gone since' };
    return [];
  });
}

/** Writes down what became of a document. False: nothing yet, it is to be sent again. */
function note(document: RunDocument, line: SubmitLine | undefined, mayTryAgain: boolean): boolean {
  if (line !== undefined && 'id' in line) {
    document.job_id = line.id;
    return true;
  }
  if (mayTryAgain && line !== undefined && NOT_NOW.has(line.error.type)) return false;
  document.refused = {
    code: line?.error.code ?? 'refused',
    message: line?.error.message ?? 'the answer had no line for it',
  };
  return true;
}
