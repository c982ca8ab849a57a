/**
 * The demo's own memory: which documents it has submitted as which jobs. A demo that was interrupted goes on from
 * here, and submits nothing twice.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeAtomically } from '../write-atomically.ts';
import type { Readme } from './collect-readmes.ts';

export interface RunDocument {
  package: string;
  version: string;
  /** null: not submitted yet, or refused. */
  job_id: string | null;
  /** Why it was refused at submission; such a document has no job. */
  refused?: { code: string; message: string };
}

export interface RunState {
  run: string;
  started_at: string;
  finished_at: string | null;
  simulated: boolean;
  /** What is told about where the answers come from: base URL and model. */
  upstream: string;
  documents: RunDocument[];
}

/** A run of these documents of which none is submitted yet. */
export function newRun(readmes: readonly Readme[], origin: { simulated: boolean; upstream: string }): RunState {
  return {
    run: `demo_${randomBytes(8).toString('hex')}`,
    started_at: new Date().toISOString(),
    finished_at: null,
    ...origin,
    documents: readmes.map(({ package: name, version }) => ({ package: name, version, job_id: null })),
  };
}

/** The last run, or null where there is none that can be read: a demo is then begun anew. */
export async function readRun(file: string): Promise<RunState | null> {
  try {
    const state = JSON.parse(await readFile(file, 'utf8')) as RunState;
    return typeof state.run === 'string' && Array.isArray(state.documents) ? state : null;
  } catch {
    // No run yet, or a file that somebody has edited: either way nothing to go on from.
    return null;
  }
}

export async function writeRun(file: string, state: RunState): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(state, null, 2)}\n`);
}
