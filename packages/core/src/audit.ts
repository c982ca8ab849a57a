/**
 * The audit log: request and response of every upstream call, whole, one JSON object a line, in files rotated by size.
 * It exists only where the configuration asks for it; nothing else of Millrace writes prompts to disk.
 */
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createStream } from 'rotating-file-stream';
import type { UpstreamApi } from './job.ts';

export interface AuditEntry {
  at: string;
  job_id: string;
  queue: string;
  attempt: number;
  upstream: string;
  api: UpstreamApi;
  /** Sent beside the job's own call, only to be compared with it. */
  shadow?: true;
  request: unknown;
  /** The Response object, or null when none was read whole. */
  response: unknown;
  error: unknown;
}

export interface Audit {
  /** Never throws and never waits: an audit that cannot be written is reported through `onError`, the job goes on. */
  write(entry: AuditEntry): void;
  close(): Promise<void>;
}

/**
 * Opens `<directory>/requests-<pid>.jsonl`, rotated at `fileBytes`. The folder keeps at most `files` finished files:
 * the library prunes this process's own, and what earlier processes left beyond that number is removed here.
 */
export function openAudit(
  options: { directory: string; fileBytes: number; files: number },
  onError: (error: Error) => void,
): Audit {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  removeOldest(options.directory, options.files);
  const stream = createStream(`requests-${process.pid}.jsonl`, {
    path: options.directory,
    size: `${options.fileBytes}B`,
    maxFiles: options.files,
    history: `requests-${process.pid}.history`,
    mode: 0o600,
  });
  stream.on('error', onError);
  return {
    write: (entry) => {
      stream.write(`${JSON.stringify(entry)}\n`);
    },
    close: async () => {
      stream.end();
      await once(stream, 'finish');
    },
  };
}

function removeOldest(directory: string, keep: number): void {
  const files = readdirSync(directory)
    .filter((name) => /requests-\d+\.(jsonl|history)/.test(name))
    .map((name) => ({ path: join(directory, name), at: statSync(join(directory, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const file of files.slice(keep)) rmSync(file.path, { force: true });
}
