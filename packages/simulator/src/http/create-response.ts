/**
 * POST /v1/responses, in the order that decides what is billed: validate, admit, fail before work; from there on the
 * call is billed, whatever becomes of its answer.
 */
import { hash } from 'node:crypto';
import type { Answer } from '../answer/answer.ts';
import { bendAnswer } from '../answer/bend.ts';
import { composeAnswer } from '../answer/compose.ts';
import type { Call } from '../calls/call.ts';
import { type ChosenFault, isBeforeWork } from '../calls/faults.ts';
import type { BilledOutcome, LedgerEntry } from '../calls/ledger.ts';
import type { CacheLookup } from '../calls/prompt-cache.ts';
import { type Draws, drawsFor } from '../calls/random.ts';
import { responseObject } from '../calls/response.ts';
import { type Run, startRun } from '../calls/run.ts';
import type { Machine } from '../machine.ts';
import type { SimulatorOptions } from '../options.ts';
import { countInputTokens, ledgerKey } from '../request/input-text.ts';
import { choosePromptFault } from '../request/prompt-fault.ts';
import { CACHED_TOKENS_STEP, MIN_CACHED_TOKENS, promptText } from '../request/prompt-prefixes.ts';
import { readPromptWords } from '../request/prompt-words.ts';
import { badParameter, RefusedRequest } from '../request/refused.ts';
import { type CreateRequest, parseBody, readCreateRequest } from '../request/validate.ts';
import { asBreak } from './break-connection.ts';
import { deliverPlain } from './deliver-plain.ts';
import { deliverStream } from './deliver-stream.ts';
import { type Exchange, readBody, sendError } from './exchange.ts';
import { failBeforeWork } from './fail-before-work.ts';
import { limitError, setLimitHeaders, setRetryAfter } from './limit-headers.ts';

/** Calls at work at once; beyond it a real server sheds load too. */
const MAX_IN_FLIGHT = 50_000;
/** How much later a `slow` answer comes where its prompt does not say. */
const SLOW_MS = 2000;
/** The longest a prompt may slow its call. */
const MAX_SLOW_MS = 3_600_000;

/** The calls that differ in none of these are one content, and its first, second … call get their own chance. */
function contentOf({ model, body, text }: CreateRequest): string {
  return hash('sha256', `${model}\n${typeof body.instructions === 'string' ? body.instructions : ''}\n${text}`);
}

function drawLatencyMs(latency: SimulatorOptions['latencyMs'], draws: Draws): number {
  if (!Array.isArray(latency)) return latency ?? 0;
  const [min, max] = latency;
  return min + draws.next() * (max - min);
}

function slownessMs(fault: ChosenFault | undefined, slowMs: number): number {
  const fromFault = fault?.kind === 'slow' ? (fault.ms ?? SLOW_MS) : 0;
  return Math.min(fromFault + slowMs, MAX_SLOW_MS);
}

function checkPrevious(machine: Machine, { body }: CreateRequest): void {
  const previous = body.previous_response_id;
  if (typeof previous !== 'string' || machine.store.get(previous)) return;
  throw badParameter(
    `Previous response with id '${previous}' not found.`,
    'previous_response_id',
    'previous_response_not_found',
  );
}

/** Charges the limits; answers the 429 itself and returns false where the request is over one. */
function admit(machine: Machine, exchange: Exchange, request: CreateRequest, tokens: () => number): boolean {
  const admission = machine.limiter.admit(request.model, tokens);
  setLimitHeaders(exchange.res, admission);
  if (!admission.refusal) return true;
  machine.counts.limited += 1;
  if (admission.refusal.waitMs !== undefined) setRetryAfter(exchange.res, admission.refusal.waitMs);
  sendError(exchange, limitError(request.model, admission.refusal));
  return false;
}

/** Writes the call into the ledger: its work is done, though nothing of it may have been delivered yet. */
function bill(machine: Machine, { call }: Run, outputTokens: number): void {
  const { request } = call;
  const entry: LedgerEntry = {
    id: call.id,
    key: ledgerKey(request.body),
    model: request.model,
    at: call.createdAtMs,
    background: request.background,
    stream: request.stream,
    input_tokens: call.inputTokens,
    cached_tokens: call.cachedTokens,
    output_tokens: outputTokens,
    outcome: call.status as BilledOutcome,
    delivered: false,
  };
  call.entry = entry;
  machine.ledger.add(entry);
  machine.counts.inputTokens += entry.input_tokens;
  machine.counts.outputTokens += entry.output_tokens;
}

/** Marks the call's answer as delivered, once. */
export function markDelivered(machine: Machine, call: Call): void {
  if (!call.entry || call.entry.delivered) return;
  call.entry.delivered = true;
  machine.counts.delivered += 1;
}

/** A request that was admitted, and what chance and its prompt have in store for it. */
interface Admitted {
  request: CreateRequest;
  bodyCharacters: number;
  answer: Answer;
  draws: Draws;
  fault: ChosenFault | undefined;
  slowMs: number;
}

/** What of the prompt is cached, and what caches it. */
function lookUpPrompt({ promptCache }: Machine, { body, model }: CreateRequest): CacheLookup | undefined {
  const key = typeof body.prompt_cache_key === 'string' ? body.prompt_cache_key : undefined;
  return promptCache?.look({ model, text: promptText(body), key });
}

/** No more than what is billed as input, which leaves tools and schema out. */
function cachedTokensOf(lookup: CacheLookup | undefined, inputTokens: number): number {
  const most = inputTokens - (inputTokens % CACHED_TOKENS_STEP);
  const cached = Math.min(lookup?.cachedTokens ?? 0, most);
  return cached < MIN_CACHED_TOKENS ? 0 : cached;
}

function createCall(machine: Machine, admitted: Admitted, lookup: CacheLookup | undefined): Call {
  const { request, bodyCharacters, answer, draws, fault } = admitted;
  const inputTokens = countInputTokens(request.body, machine.options.charactersPerToken);
  const id = `resp_${draws.hex}`;
  const anothers = `resp_${hash('sha256', draws.hex).slice(0, draws.hex.length)}`;
  return {
    id,
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

/** Counts a call as in flight; returns what counts it out. */
function enterFlight({ counts }: Machine): () => void {
  counts.inFlight += 1;
  counts.maxInFlight = Math.max(counts.maxInFlight, counts.inFlight);
  return () => {
    counts.inFlight -= 1;
  };
}

/** Does the work and delivers it; from here on the call is billed. */
function work(machine: Machine, exchange: Exchange, admitted: Admitted): void {
  const { res } = exchange;
  const { request, draws, fault, slowMs } = admitted;
  const leaveFlight = enterFlight(machine);
  const lookup = lookUpPrompt(machine, request);
  const call = createCall(machine, admitted, lookup);
  const timing = {
    latencyMs: drawLatencyMs(machine.options.latencyMs, draws) + slownessMs(fault, slowMs),
    tokensPerSecond: machine.options.tokensPerSecond,
  };
  const broken = asBreak(fault?.kind);
  const delivered = () => markDelivered(machine, call);
  const end = (ended: Run, outputTokens: number) => {
    bill(machine, ended, outputTokens);
    machine.store.ended(ended);
    if (request.background) leaveFlight();
    else if (!request.stream) deliverPlain(exchange, responseObject(call), broken, delivered);
  };
  const run = startRun(call, timing, end, () => lookup?.keep());
  machine.store.add(run);
  if (request.stream) deliverStream(exchange, call, run, { from: 0, broken, delivered });
  else if (request.background) deliverPlain(exchange, responseObject(call, 'queued'), broken, () => undefined);
  if (request.background) return;
  res.once('close', () => {
    leaveFlight();
    // A call whose client leaves has been worked for all the same: it ends now, and is billed.
    run.finish();
  });
}

/** Handles one create request. Throws a RefusedRequest for what OpenAI would refuse. */
export async function createResponse(machine: Machine, exchange: Exchange): Promise<void> {
  const { counts, options } = machine;
  const seed = options.seed ?? 1;
  counts.requests += 1;
  const text = await readBody(exchange);
  const body = parseBody(text);
  const request = readCreateRequest(body, {
    background: options.background ?? true,
    stateless: options.stateless ?? false,
  });
  checkPrevious(machine, request);
  const { slowMs } = readPromptWords(request.text, 0);
  let composed: Answer | undefined;
  const answer = () => {
    composed ??= composeAnswer(request, seed);
    return composed;
  };
  if (counts.inFlight >= MAX_IN_FLIGHT) {
    throw new RefusedRequest(503, 'The engine is currently overloaded, please try again later.', {
      type: 'server_error',
    });
  }
  const tokens = () =>
    countInputTokens(body, options.charactersPerToken) + (request.maxOutputTokens ?? answer().outputTokens);
  if (!admit(machine, exchange, request, tokens)) return;
  const content = contentOf(request);
  const nth = machine.occurrences.count(content);
  const draws = drawsFor(seed, content, nth);
  const fault = choosePromptFault(request, machine.promptFaults) ?? machine.dice.choose(draws.next());
  if (fault) counts.faults[fault.kind] += 1;
  if (fault && isBeforeWork(fault.kind)) {
    failBeforeWork(exchange, fault.kind, fault, request.model);
    return;
  }
  work(machine, exchange, { request, bodyCharacters: text.length, answer: answer(), draws, fault, slowMs });
}
