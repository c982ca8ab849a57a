/**
 * A valid request, in the order that decides what is billed: admit, fail before work; from there on the call is billed,
 * whatever becomes of its answer. What goes over the wire is the API's by which it came.
 */
import { hash } from 'node:crypto';
import type { Answer } from '../answer/answer.ts';
import { composeAnswer } from '../answer/compose.ts';
import { type ChosenFault, isBeforeWork } from '../calls/faults.ts';
import { type Draws, drawsFor } from '../calls/random.ts';
import { type Run, startRun } from '../calls/run.ts';
import type { Machine } from '../machine.ts';
import type { SimulatorOptions } from '../options.ts';
import { countInputTokens } from '../request/input-text.ts';
import { choosePromptFault } from '../request/prompt-fault.ts';
import { readPromptWords } from '../request/prompt-words.ts';
import { RefusedRequest } from '../request/refused.ts';
import type { CreateRequest } from '../request/validate.ts';
import { bill, markDelivered } from './bill.ts';
import { asBreak } from './break-connection.ts';
import { type Admitted, createCall, lookUpPrompt } from './create-call.ts';
import { deliverPlain } from './deliver-plain.ts';
import { deliverStream } from './deliver-stream.ts';
import { type Exchange, sendError } from './exchange.ts';
import { failBeforeWork } from './fail-before-work.ts';
import { limitError, setLimitHeaders, setRetryAfter } from './limit-headers.ts';
import type { Wire } from './wire.ts';

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

/** Counts a call as in flight; returns what counts it out. */
function enterFlight({ counts }: Machine): () => void {
  counts.inFlight += 1;
  counts.maxInFlight = Math.max(counts.maxInFlight, counts.inFlight);
  return () => {
    counts.inFlight -= 1;
  };
}

/** Does the work and delivers it; from here on the call is billed. */
function work(machine: Machine, exchange: Exchange, admitted: Admitted, wire: Wire): void {
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
    bill(machine, call, outputTokens);
    machine.store.ended(ended);
    if (request.background) leaveFlight();
    else if (!request.stream) deliverPlain(exchange, wire.plain(call), broken, delivered);
  };
  const run = startRun(call, timing, end, () => lookup?.keep());
  machine.store.add(run);
  if (request.stream) deliverStream(exchange, call, run, { from: 0, broken, delivered, wire: wire.stream(call) });
  else if (request.background) deliverPlain(exchange, wire.plain(call), broken, () => undefined);
  if (request.background) return;
  res.once('close', () => {
    leaveFlight();
    // A call whose client leaves has been worked for all the same: it ends now, and is billed.
    run.finish();
  });
}

/** Answers `request`, whose body had so many characters. Throws a RefusedRequest for what OpenAI would refuse. */
export function answerCall(
  machine: Machine,
  exchange: Exchange,
  { request, bodyCharacters }: { request: CreateRequest; bodyCharacters: number },
  wire: Wire,
): void {
  const { counts, options } = machine;
  const seed = options.seed ?? 1;
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
    countInputTokens(request.body, options.charactersPerToken) + (request.maxOutputTokens ?? answer().outputTokens);
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
  work(machine, exchange, { api: wire.api, request, bodyCharacters, answer: answer(), draws, fault, slowMs }, wire);
}
