/** What workers asked upstream, read from their audit files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEntry, ResponsesBody } from '@millrace/core';
import { eventually } from './eventually.ts';

/** The requests made for a job, in order, once there are so many. */
export function asked(directory: string, jobId: string, count = 1): Promise<ResponsesBody[]> {
  return eventually(`${count} requests of ${jobId} are in the audit`, async () => {
    const files = readdirSync(directory).filter((name) => name.endsWith('.jsonl'));
    const entries = files.flatMap((name) =>
      readFileSync(join(directory, name), 'utf8')
        .split('\n')
        // What is being written just now has no end yet.
        .slice(0, -1)
        .map((line) => JSON.parse(line) as AuditEntry),
    );
    const requests = entries.filter(({ job_id }) => job_id === jobId).map(({ request }) => request as ResponsesBody);
    return requests.length >= count && requests;
  });
}
