/** The jobs of a fault test as the API has them: how many are where, which there are, and the courses they took. */
import type { FaultStack } from './fault-stack.ts';
import { call } from './http.ts';
import type { JobView } from './stack.ts';

export interface QueueJobs {
  waiting: number;
  delayed: number;
  active: number;
  completed: number;
  failed: number;
  cancelled: number;
  incomplete: number;
}

/** The jobs of all queues by where they are. */
export async function queueJobs({ api }: FaultStack): Promise<QueueJobs> {
  const { status, body, text } = await call<{ data: { jobs: QueueJobs }[] }>('GET', `${api.url}/v1/queues`);
  if (!body?.data?.length) throw new Error(`no counts: ${status} ${text}`);
  const sum: QueueJobs = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0, cancelled: 0, incomplete: 0 };
  for (const { jobs } of body.data) {
    for (const state of Object.keys(sum) as (keyof QueueJobs)[]) sum[state] += jobs[state];
  }
  return sum;
}

/** All stored jobs. */
export async function storedJobs({ api }: FaultStack): Promise<JobView[]> {
  const jobs: JobView[] = [];
  for (let after = ''; ; ) {
    const { body } = await call<{ data: JobView[]; last_id: string; has_more: boolean }>(
      'GET',
      `${api.url}/v1/jobs?limit=100${after}`,
    );
    jobs.push(...body.data);
    if (!body.has_more) return jobs;
    after = `&after=${body.last_id}`;
  }
}

/** A job's attempts in words, oldest first, such as `retry stalled, possibly billed → completed`. */
export function courseOf({ attempts }: JobView): string {
  return attempts
    .map(({ outcome, reason, possibly_billed }) =>
      [outcome ?? 'open', reason ? ` ${reason}` : '', possibly_billed ? ', possibly billed' : ''].join(''),
    )
    .join(' → ');
}

/** The upstream's responses that a job's attempts were about, as far as they had come to be known. */
export function responsesOf({ attempts }: JobView): string[] {
  return [...new Set(attempts.flatMap(({ upstream_id }) => upstream_id ?? []))];
}

/** The different courses of each group of jobs, by the group's name; a job that is not there took the course `lost`. */
export function coursesBy(
  groups: Readonly<Record<string, readonly string[]>>,
  jobs: readonly JobView[],
): Record<string, string[]> {
  const courses = new Map(jobs.map((job) => [job.id, courseOf(job)]));
  return Object.fromEntries(
    Object.entries(groups).map(([name, ids]) => [
      name,
      [...new Set(ids.map((id) => courses.get(id) ?? 'lost'))].sort(),
    ]),
  );
}
