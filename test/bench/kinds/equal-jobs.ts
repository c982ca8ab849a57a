/** A thousand equal jobs in flight: how many calls they make, in a queue that shares calls and in one that does not. */
import { submitLines } from '../../harness/http.ts';
import { finished, type Stack, startStack } from '../../harness/stack.ts';
import { print, round } from '../figures.ts';

const JOBS = 1000;
const MODEL = 'bench';
/** Longer than they take to be submitted. */
const CALL_MS = 1500;
const BOUND_MS = 120_000;

export async function equalJobs(): Promise<void> {
  const stack = await startStack({
    workers: 2,
    simulator: { latencyMs: CALL_MS },
    config: { queues: { sharing: { model: MODEL, cache: { seconds: 0 } }, plain: { model: MODEL } } },
  });
  try {
    const [sharing, plain] = [await callsOf(stack, 'sharing'), await callsOf(stack, 'plain')];
    print({
      bench: 'kinds',
      what: `${JOBS} equal jobs in flight: calls`,
      ...{ calls: sharing.calls, calls_without_cache: plain.calls, goal: 1 },
      ...{ tokens: sharing.tokens, tokens_without_cache: plain.tokens },
      ...{ seconds: sharing.seconds, seconds_without_cache: plain.seconds },
    });
  } finally {
    await stack.stop();
  }
}

async function callsOf(stack: Stack, queue: string): Promise<{ calls: number; tokens: number; seconds: number }> {
  const job = { type: 'generate', queue, request: { input: 'the same', metadata: { key: queue } } };
  const began = performance.now();
  const replies = await submitLines(
    stack.api.url,
    Array.from({ length: JOBS }, () => job),
  );
  for (const { id } of replies) {
    const { status } = await finished(stack, id as string, BOUND_MS);
    if (status !== 'completed') throw new Error(`a job ended as ${status}`);
  }
  const seconds = round((performance.now() - began) / 1000, 1);
  const billed = stack.simulator.ledger().filter(({ key }) => key === queue);
  const tokens = billed.reduce((sum, { input_tokens, output_tokens }) => sum + input_tokens + output_tokens, 0);
  return { calls: billed.length, tokens, seconds };
}
