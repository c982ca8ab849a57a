/** Batches and flows as a busy place has them: many small ones, and one of each that is large and has not ended. */
import { eventually } from '../../harness/eventually.ts';
import { call } from '../../harness/http.ts';
import { type RoleProcess, startRole } from '../../harness/processes.ts';
import { print } from '../figures.ts';

const BATCHES = 60;
const FLOWS = 30;
const LARGE_BATCH = 10_000;
const LARGE_STEP = 5000;
/** Its jobs wait as long as the benchmark runs. */
const QUEUE = 'archive';
const WITHIN_MS = 300_000;

/** @param env of a stack whose worker runs already, and whose queue `archive` is paused */
export async function crowdBatchesAndFlows(env: Record<string, string>): Promise<{ batch: string; flow: string }> {
  const api = await startRole('api', env);
  try {
    for (let i = 0; i < BATCHES; i++) await batchOf(api, 2);
    for (let i = 0; i < FLOWS; i++) await flowOf(api, 2);
    const [batch, flow] = [await batchOf(api, LARGE_BATCH), await flowOf(api, LARGE_STEP)];
    await eventually(
      'the large batch is in its queue',
      async () => {
        const { body } = await call<{ status: string; request_counts: { total: number } }>('GET', `${api.url}${batch}`);
        return body.status === 'in_progress' && body.request_counts.total === LARGE_BATCH;
      },
      WITHIN_MS,
    );
    print({
      ...{ bench: 'dashboard', what: 'batches and flows', batches: BATCHES + 1, flows: FLOWS + 1 },
      ...{ jobs_of_large_batch: LARGE_BATCH, jobs_of_large_step: LARGE_STEP },
    });
    return { batch: batch.split('/').at(-1) ?? '', flow };
  } finally {
    await api.stop();
  }
}

/** @returns its path */
async function batchOf(api: RoleProcess, size: number): Promise<string> {
  const line = (i: number) => ({
    ...{ custom_id: `line-${i}`, method: 'POST', url: '/v1/responses' },
    body: { model: 'sim-1', input: `Line ${i} of a batch.`, max_output_tokens: 100 },
  });
  const form = new FormData();
  form.set('purpose', 'batch');
  const text = Array.from({ length: size }, (_, i) => JSON.stringify(line(i))).join('\n');
  form.set('file', new Blob([text]), 'lines.jsonl');
  const file = (await (await fetch(`${api.url}/v1/files`, { method: 'POST', body: form })).json()) as { id: string };
  const reply = await fetch(`${api.url}/v1/batches`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'millrace-queue': QUEUE },
    body: JSON.stringify({ input_file_id: file.id, endpoint: '/v1/responses', completion_window: '24h' }),
  });
  const { id } = (await reply.json()) as { id?: string };
  if (id === undefined) throw new Error(`the batch was refused: ${reply.status}`);
  return `/v1/batches/${id}`;
}

async function flowOf(api: RoleProcess, size: number): Promise<string> {
  const step = (input: string) => ({ type: 'generate', queue: QUEUE, request: { input } });
  const { body, text } = await call<{ id: string }>('POST', `${api.url}/v1/flows`, {
    name: 'a flow',
    steps: {
      each: { ...step('About {{item}}'), for_each: Array.from({ length: size }, (_, i) => `subject ${i}`) },
      all: step('Sum up: {{steps.each.output_text}}'),
    },
  });
  if (body.id === undefined) throw new Error(text);
  return body.id;
}
