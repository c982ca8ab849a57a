/** One call to `POST /responses`, plain or streamed, from request to Outcome. It never throws and leaves nothing open. */
import type { JobType, Outcome, ResponsesBody } from '@millrace/core';
import type { OpenAI } from 'openai';
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import type { z } from 'zod';
import { abortKind } from './abort-reason.ts';
import { conclude } from './conclude.ts';
import { decide, stopped } from './decide.ts';
import { Exchange } from './exchange.ts';
import { type FirstModel, NoModelError } from './first-model.ts';
import { answerCheck } from './structured.ts';
import { startWatch, type Watch } from './watch.ts';

export interface CallRequest {
  /** A complete Responses request. `stream` and `background` are not taken from it; without `model` the upstream's first is used. */
  body: ResponsesBody;
  /** An extraction must come to a value that fits; a generation is completed by whatever was said. */
  type: JobType;
  /** The longest the whole call may take, in milliseconds. */
  timeoutMs: number;
  /** Ends the call at any point; its `reason` must be an AbortReason. */
  signal: AbortSignal;
  /** Read the answer as a stream. The Outcome is the same. */
  stream?: boolean;
  /** Checks a structured answer in place of the JSON Schema in `body.text.format`; its output is `output_parsed`. */
  zod?: z.ZodType;
  /** Told once, as soon as the status and headers of the answer are in (for an error answer: once it is read). */
  onHeaders?: (status: number, header: (name: string) => string | null) => void;
}

/** What every call of one upstream shares. */
export interface Line {
  client: OpenAI;
  models: FirstModel;
  idleMs: number;
  /** Hears of faults in Millrace itself, whole: the Outcome tells only their kind. */
  onFault: (error: unknown) => void;
}

export async function makeCall(line: Line, request: CallRequest): Promise<Outcome> {
  if (request.signal.aborted) return stopped(abortKind(request.signal.reason), false);
  const exchange = new Exchange(request.stream === true, line.idleMs);
  const watch = startWatch(request.timeoutMs, request.signal);
  try {
    return await attempt(line, request, exchange, watch);
  } catch (error) {
    if (error instanceof NoModelError) return error.outcome;
    line.onFault(error);
    // Only the kind of fault: its message might quote a header or a prompt.
    const message = `A fault in Millrace: ${error instanceof Error ? error.name : typeof error}.`;
    return decide({ row: 'internal', message }, exchange.sent);
  } finally {
    watch.close();
    exchange.stop('shutdown');
  }
}

async function attempt(line: Line, request: CallRequest, exchange: Exchange, watch: Watch): Promise<Outcome> {
  const check = answerCheck(request.body, request.zod);
  const uncheckable = check !== null && typeof check === 'object' ? check.fault : null;
  // For a generation the schema is between its producer and the upstream, which may well know keywords Ajv does not.
  if (uncheckable !== null && request.type === 'extract') {
    return decide({ row: 'invalidSchema', message: `The schema does not compile: ${uncheckable}` }, false);
  }
  const terms = {
    type: request.type,
    check: typeof check === 'function' ? check : null,
    timeoutMs: request.timeoutMs,
    idleMs: line.idleMs,
  };

  const named = request.body['model'];
  const unnamed = typeof named !== 'string';
  const model = unnamed ? await Promise.race([line.models.ask(), watch.stopped.then((by) => ({ by }))]) : named;
  if (typeof model !== 'string') return conclude(exchange, { kind: 'stopped', by: model.by }, terms);

  watch.stopped.then((by) => exchange.stop(by));
  await send(line.client, { ...request.body, model }, request, exchange);
  const outcome = await conclude(exchange, await exchange.ended, terms);
  if (unnamed && outcome.kind === 'failed' && outcome.reason === 'not_found') line.models.forget();
  return outcome;
}

/** Resolves when the headers are in or there will be none; what became of it, the exchange knows. */
async function send(client: OpenAI, body: ResponsesBody, request: CallRequest, exchange: Exchange): Promise<void> {
  const { background: _, stream: __, stream_options: streamOptions, ...rest } = body;
  const wanted = !request.stream
    ? rest
    : { ...rest, stream: true, ...(streamOptions ? { stream_options: streamOptions } : {}) };
  try {
    await client.responses
      // Checked field by field where the job came in, and by the upstream: not again here.
      .create(wanted as unknown as ResponseCreateParamsNonStreaming, { fetchOptions: { client: exchange } })
      .asResponse();
  } catch (error) {
    // An error status or a broken connection: the exchange has both. Anything that kept it from starting is a fault.
    if (!exchange.started) throw error;
  }
  if (exchange.status !== null) request.onHeaders?.(exchange.status, (name) => exchange.headers.get(name));
}
