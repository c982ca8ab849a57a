/** Makes a call of a request that was admitted: its id, its answer as the fault bends it, and what of it is cached. */
import { hash } from 'node:crypto';
import type { Answer } from '../answer/answer.ts';
import { bendAnswer } from '../answer/bend.ts';
import type { Call } from '../calls/call.ts';
import type { ChosenFault } from '../calls/faults.ts';
import type { Api } from '../calls/ledger.ts';
import type { CacheLookup } from '../calls/prompt-cache.ts';
import type { Draws } from '../calls/random.ts';
import type { Machine } from '../machine.ts';
import { countInputTokens } from '../request/input-text.ts';
import { CACHED_TOKENS_STEP, MIN_CACHED_TOKENS, promptText } from '../request/prompt-prefixes.ts';
import type { CreateRequest } from '../request/validate.ts';

/** A request that was admitted, and what chance and its prompt have in store for it. */
export interface Admitted {
  api: Api;
  request: CreateRequest;
  bodyCharacters: number;
  answer: Answer;
  draws: Draws;
  fault: ChosenFault | undefined;
  slowMs: number;
}

/** What of the prompt is cached, and what caches it. */
export function lookUpPrompt({ promptCache }: Machine, { body, model }: CreateRequest): CacheLookup | undefined {
  const key = typeof body.prompt_cache_key === 'string' ? body.prompt_cache_key : undefined;
  return promptCache?.look({ model, text: promptText(body), key });
}

/** No more than what is billed as input, which leaves tools and schema out. */
function cachedTokensOf(lookup: CacheLookup | undefined, inputTokens: number): number {
  const most = inputTokens - (inputTokens % CACHED_TOKENS_STEP);
  const cached = Math.min(lookup?.cachedTokens ?? 0, most);
  return cached < MIN_CACHED_TOKENS ? 0 : cached;
}

/** The call that `admitted` becomes, not yet begun; `lookup` is what is cached of its prompt. */
export function createCall(machine: Machine, admitted: Admitted, lookup: CacheLookup | undefined): Call {
  const { api, request, bodyCharacters, answer, draws, fault } = admitted;
  const inputTokens = countInputTokens(request.body, machine.options.charactersPerToken);
  const id = `resp_${draws.hex}`;
  const anothers = `resp_${hash('sha256', draws.hex).slice(0, draws.hex.length)}`;
  return {
    id,
    api,
    request,
    bodyCharacters,
    answer: bendAnswer(answer, fault),
    inputTokens,
    cachedTokens: cachedTokensOf(lookup, inputTokens),
    createdAtMs: Date.now(),
    streamEvents: machine.options.streamEvents,
    retrieveId: fault?.kind === 'wrongid' ? anothers : id,
    gone: fault?.kind === 'gone',
    stuck: fault?.kind === 'queued',
    unreadable: fault?.kind === 'unreadable' ? (fault.times ?? 1) : 0,
    status: request.background ? 'queued' : 'in_progress',
    visibleEvents: 0,
  };
}
