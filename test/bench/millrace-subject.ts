/** Millrace under kills: API and workers as real processes, at the settings a user gets without asking. */
import { call, submitLines } from '../harness/http.ts';
import { type JobView, startStack } from '../harness/stack.ts';
import type { JobEnd, RecoverySubject, RecoveryTerms } from './recovery-subject.ts';

const TERMINAL = new Set(['completed', 'failed', 'cancelled', 'incomplete']);

/**
 * On a Redis of its own, without workers yet.
 * @param background `on`: calls can be re-attached to; `off`: they go direct
 */
export async function startMillrace(terms: RecoveryTerms, background: 'on' | 'off'): Promise<RecoverySubject> {
  const stack = await startStack({
    workers: 0,
    background,
    config: { queues: { generate: { model: terms.model, concurrency: terms.concurrency } } },
    simulator: { latencyMs: terms.callMs },
  });
  const api = stack.api.url;
  const accepted = new Map<string, string>();
  return {
    simulator: stack.simulator,
    startWorker: () => stack.addWorker(),
    submit: async (prompts) => {
      const replies = await submitLines(
        api,
        prompts.map((input) => ({ type: 'generate', request: { input } })),
      );
      for (const [index, prompt] of prompts.entries()) {
        const id = replies[index]?.id;
        if (id === undefined) throw new Error(`not accepted: ${JSON.stringify(replies[index])}`);
        accepted.set(id, prompt);
      }
    },
    left: async () => {
      const { body } = await call<{ data: { jobs: Record<string, number> }[] }>('GET', `${api}/v1/queues`);
      const { waiting = 0, delayed = 0, active = 0 } = body.data[0]?.jobs ?? {};
      return waiting + delayed + active;
    },
    jobs: async () => {
      const stored = await storedJobs(api);
      return [...accepted].map(([id, prompt]) => jobEnd(prompt, stored.get(id)));
    },
    stop: () => stack.stop(),
  };
}

function jobEnd(prompt: string, job: JobView | undefined): JobEnd {
  if (job === undefined) return { prompt, outcome: null, marked: 0, interrupted: false };
  const ended = TERMINAL.has(job.status);
  return {
    prompt,
    outcome: job.status === 'completed' ? 'completed' : ended ? 'failed' : null,
    marked: job.attempts.filter((attempt) => attempt.possibly_billed).length,
    interrupted: job.attempts.some(({ reason }) => reason === 'lost'),
  };
}

/** All jobs there are, by id. */
async function storedJobs(api: string): Promise<Map<string, JobView>> {
  const jobs = new Map<string, JobView>();
  for (let after = ''; ; ) {
    const { body } = await call<{ data: JobView[]; last_id: string; has_more: boolean }>(
      'GET',
      `${api}/v1/jobs?limit=100${after}`,
    );
    for (const job of body.data) jobs.set(job.id, job);
    if (!body.has_more) return jobs;
    after = `&after=${body.last_id}`;
  }
}
