/**
 * Jobs that share a beginning of 2,000 tokens, eight of them mixed: how much of it is answered from the upstream's cache
 * (as the simulator models OpenAI's), as a batch of ours and as a loop over the `openai` SDK with as many calls in flight.
 */
import { type LedgerEntry, startSimulator } from '@millrace/simulator';
import OpenAI, { toFile } from 'openai';
import { eventually } from '../../harness/eventually.ts';
import { startStack } from '../../harness/stack.ts';
import { print, round } from '../figures.ts';

const MODEL = 'bench';
const PREFIX_CHARACTERS = 8000;
const CALL_MS: [number, number] = [500, 1500];
const BOUND_MS = 120_000;

export interface SharedPrefix {
  jobs: number;
  prefixes: number;
  /** Calls in flight. */
  concurrency: number;
  callMs?: [min: number, max: number];
}

/** A worker's default, and what a cautious loop has. */
const RUNS: SharedPrefix[] = [200, 50, 20].map((concurrency) => ({ jobs: 400, prefixes: 8, concurrency }));

export async function sharedPrefix(): Promise<void> {
  for (const run of RUNS) {
    const [ours, naive] = [cachedOf(await asBatch(run)), cachedOf(await asLoop(run))];
    print({
      bench: 'kinds',
      what: `cached tokens of ${run.jobs} jobs with ${run.prefixes} beginnings of 2,000 tokens, mixed`,
      in_flight: run.concurrency,
      ...{ cached_tokens: ours.tokens, cached_tokens_naive: naive.tokens },
      ...{ paid_whole: ours.missed, paid_whole_naive: naive.missed },
      ...{ ratio: round(ours.tokens / naive.tokens, 2), goal: '>= 1.5' },
    });
  }
}

/** Tokens, and how many requests found nothing cached. */
export function cachedOf(ledger: readonly LedgerEntry[]): { tokens: number; missed: number } {
  return {
    tokens: ledger.reduce((sum, { cached_tokens }) => sum + cached_tokens, 0),
    missed: ledger.filter(({ cached_tokens }) => cached_tokens === 0).length,
  };
}

function requestsOf({ jobs, prefixes }: SharedPrefix): { model: string; instructions: string; input: string }[] {
  return Array.from({ length: jobs }, (_, job) => ({
    model: MODEL,
    instructions: `Rules of customer ${job % prefixes}. `.padEnd(PREFIX_CHARACTERS, 'Be exact, be brief, be kind. '),
    input: `Question ${job}: what now?`,
  }));
}

/** As it is used without asking, but for the calls in flight. */
export async function asBatch(run: SharedPrefix): Promise<LedgerEntry[]> {
  const stack = await startStack({
    simulator: { latencyMs: run.callMs ?? CALL_MS },
    config: { queues: { generate: { model: MODEL, concurrency: run.concurrency } } },
  });
  try {
    const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any' });
    const lines = requestsOf(run).map((body, place) =>
      JSON.stringify({ custom_id: String(place), method: 'POST', url: '/v1/responses', body }),
    );
    const file = await client.files.create({
      file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'),
      purpose: 'batch',
    });
    const { id } = await client.batches.create({
      ...{ input_file_id: file.id, endpoint: '/v1/responses', completion_window: '24h' },
    });
    const ended = async () => (await client.batches.retrieve(id)).status === 'completed';
    await eventually('the batch is completed', ended, BOUND_MS);
    return stack.simulator.ledger();
  } finally {
    await stack.stop();
  }
}

/** What a user would write first. */
export async function asLoop(run: SharedPrefix): Promise<LedgerEntry[]> {
  const simulator = await startSimulator({ port: 0, latencyMs: run.callMs ?? CALL_MS });
  try {
    const client = new OpenAI({ baseURL: simulator.url, apiKey: 'any' });
    const left = requestsOf(run);
    const loop = async (): Promise<void> => {
      for (let request = left.shift(); request !== undefined; request = left.shift()) {
        await client.responses.create(request);
      }
    };
    await Promise.all(Array.from({ length: run.concurrency }, loop));
    return simulator.ledger();
  } finally {
    await simulator.close();
  }
}
