/**
 * Another program on the same key: it spends a steady share of the limit and knows nothing of us. What is refused it
 * sends again when it is told to, so over time it gets what it asks for.
 */
import { Agent } from 'undici';
import { elapsed } from '../../harness/elapse.ts';
import { MODEL, TOKENS_PER_MINUTE } from './limited-upstream.ts';

/** Of one call: half of them input, half of them answer. */
const TOKENS_PER_CALL = 200;
const CHARACTERS_PER_TOKEN = 4;
/** Another one's calls do not come by the clock: each is up to half an interval early or late. */
const JITTER = 0.5;
/** More at once than it ever has; beyond it the upstream hangs. */
const MOST_AT_ONCE = 500;

export interface ForeignClient {
  /** How often it was refused so far. */
  limited(): number;
  answered(): number;
  /** Resolves when its last call has ended. @throws the first error that was no refusal */
  stop(): Promise<void>;
}

/** Calls from now on, at so much of the limit. @param share 0 … 1 */
export function startForeignClient(baseURL: string, share: number): ForeignClient {
  const agent = new Agent();
  const everyMs = (60_000 * TOKENS_PER_CALL) / (TOKENS_PER_MINUTE * share);
  const input = 'ours '
    .repeat((TOKENS_PER_CALL / 2) * CHARACTERS_PER_TOKEN)
    .slice(0, (TOKENS_PER_CALL / 2) * CHARACTERS_PER_TOKEN);
  const counts = { limited: 0, answered: 0 };
  const open = new Set<Promise<void>>();
  let over = false;
  let fault: Error | undefined;

  const one = async (): Promise<void> => {
    while (!over) {
      const body = JSON.stringify({
        model: MODEL,
        input,
        max_output_tokens: TOKENS_PER_CALL / 2,
        metadata: { key: 'foreign' },
      });
      const {
        statusCode,
        headers,
        body: answer,
      } = await agent.request({
        origin: new URL(baseURL).origin,
        path: '/v1/responses',
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
        body,
      });
      await answer.dump();
      if (statusCode !== 429) {
        counts.answered++;
        return;
      }
      counts.limited++;
      await elapsed(Number(headers['retry-after-ms']));
    }
  };
  const going = (async () => {
    const began = performance.now();
    for (let number = 0; !over; number++) {
      await elapsed((number + JITTER * (Math.random() - 0.5) * 2) * everyMs, began);
      if (open.size >= MOST_AT_ONCE) throw new Error('the upstream does not answer');
      const call = one()
        .catch((error: Error) => {
          fault ??= error;
        })
        .finally(() => open.delete(call));
      open.add(call);
    }
    await Promise.all(open);
  })();
  return {
    limited: () => counts.limited,
    answered: () => counts.answered,
    stop: async () => {
      over = true;
      await going;
      await agent.close();
      if (fault !== undefined) throw fault;
    },
  };
}
