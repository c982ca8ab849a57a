/** One call, to `POST /responses` (plain, streamed or in the background) or as a chat completion. It never throws. */
import type { JobType, Outcome, ResponsesBody, UpstreamApi } from '@millrace/core';
import type { z } from 'zod';
import { abortKind } from './abort-reason.ts';
import type { Started } from './background-response.ts';
import { callInBackground } from './call-background.ts';
import { callChat } from './call-chat.ts';
import { type CallTerms, callTerms } from './call-terms.ts';
import { conclude } from './conclude.ts';
import { stopped } from './decide.ts';
import type { EventListener } from './event-reader.ts';
import { Exchange } from './exchange.ts';
import { Flight } from './flight.ts';
import { guardCall } from './guard-call.ts';
import type { Line } from './line.ts';
import { create } from './send.ts';

export interface CallRequest {
  /** A complete Responses request. `stream` and `background` are not taken from it; without `model` the upstream's first is used. */
  body: ResponsesBody;
  /** An extraction must come to a value that fits; a generation is completed by whatever was said. */
  type: JobType;
  /** The longest the whole call may take, in milliseconds. */
  timeoutMs: number;
  /** Ends the call at any point; its `reason` must be an AbortReason. */
  signal: AbortSignal;
  /**
   * `chat`: make it as one plain `POST /chat/completions`, converted there and back. The Outcome is the same, its
   * Response's id the completion's; `stream`, `background` and `onEvent` are passed over. Ask core's chatRequestOf first
   * whether `body` can be asked that way: one that cannot fails.
   */
  api?: UpstreamApi;
  /** Read the answer as a stream. The Outcome is the same. */
  stream?: boolean;
  /**
   * Make the call in the background where configuration and upstream allow it; otherwise it goes direct, as if this
   * were absent. The Outcome is the same, except that it can be one that is to be re-attached.
   */
  background?: BackgroundListener;
  /** Checks a structured answer in place of the JSON Schema in `body.text.format`; its output is `output_parsed`. */
  zod?: z.ZodType;
  /** Told each event of an answer that is streamed, by itself or because it is made in the background. */
  onEvent?: EventListener;
  /** Told once, as soon as the status and headers of the answer are in (for an error answer: once it is read). */
  onHeaders?: (status: number, header: (name: string) => string | null) => void;
}

export interface BackgroundListener {
  /**
   * Told once, as soon as the response's id is known, before anything of its answer: the time for a checkpoint. Reading
   * goes on meanwhile and may even end first; a failure is told to `onFault` and changes nothing for the call. Not told
   * where the upstream answers without making the response in the background.
   */
  onStarted(started: Started): void | Promise<void>;
}

export async function makeCall(line: Line, request: CallRequest): Promise<Outcome> {
  if (request.signal.aborted) return stopped(abortKind(request.signal.reason), false);
  const flight = new Flight(request.timeoutMs, request.signal);
  const background = request.api === 'chat' ? undefined : request.background;
  const leave = background === undefined ? null : line.background.enter(request.body);
  if (background === undefined || leave === null) {
    return guardCall(line, flight, () => attempt(line, request, null, flight));
  }
  return guardCall(line, flight, () => attempt(line, request, background, flight)).finally(leave);
}

async function attempt(
  line: Line,
  request: CallRequest,
  background: BackgroundListener | null,
  flight: Flight,
): Promise<Outcome> {
  const terms = callTerms(request, line.idleMs);
  if ('kind' in terms) return terms;

  const asked = request.body['model'];
  const unnamed = typeof asked !== 'string';
  const model = unnamed ? await Promise.race([line.models.ask(), flight.stopped.then((by) => ({ by }))]) : asked;
  if (typeof model !== 'string') {
    return conclude(new Exchange(false, line.idleMs), { kind: 'stopped', by: model.by }, terms);
  }

  const named = { ...request, body: { ...request.body, model } };
  const outcome = await callNamed(line, named, background, terms, flight);
  if (unnamed && outcome.kind === 'failed' && outcome.reason === 'not_found') line.models.forget();
  return outcome;
}

async function callNamed(
  line: Line,
  request: CallRequest,
  background: BackgroundListener | null,
  terms: CallTerms,
  flight: Flight,
): Promise<Outcome> {
  if (request.api === 'chat') return callChat(line, request, terms, flight);
  if (background === null) return callDirect(line, request, terms, flight);
  const outcome = await callInBackground(line, { ...request, background }, terms, flight);
  return outcome ?? callDirect(line, request, terms, flight, line.background.learnRefused);
}

/** @param onAccepted told when the upstream takes the request, which it refused in the background. */
async function callDirect(
  line: Line,
  request: CallRequest,
  terms: CallTerms,
  flight: Flight,
  onAccepted?: () => void,
): Promise<Outcome> {
  const stream = request.stream === true;
  const exchange = flight.begin(new Exchange(stream, line.idleMs, null, request.onEvent));
  await create(line.client, request.body, { stream, background: false }, exchange);
  const { status } = exchange;
  if (status !== null && status < 300) onAccepted?.();
  if (status !== null) request.onHeaders?.(status, (name) => exchange.headers.get(name));
  return conclude(exchange, await exchange.ended, terms);
}
