/**
 * Requests through the SDK. Each resolves when the headers are in or there will be none; what became of it, the
 * exchange knows.
 */
import type { ChatRequestBody, ResponsesBody } from '@millrace/core';
import type { OpenAI } from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import type { ResponseCreateParamsNonStreaming, ResponseIncludable } from 'openai/resources/responses/responses';
import type { Exchange } from './exchange.ts';

/** `POST /responses`. */
export async function create(
  client: OpenAI,
  body: ResponsesBody,
  how: { stream: boolean; background: boolean },
  exchange: Exchange,
): Promise<void> {
  const { background: _, stream: __, stream_options: streamOptions, ...rest } = body;
  const streamed = how.stream ? { stream: true, ...(streamOptions ? { stream_options: streamOptions } : {}) } : {};
  const wanted =
    how.stream || how.background ? { ...rest, ...(how.background ? { background: true } : {}), ...streamed } : rest;
  await settled(
    exchange,
    client.responses
      // Checked field by field where the job came in, and by the upstream: not again here.
      .create(wanted as unknown as ResponseCreateParamsNonStreaming, { fetchOptions: { client: exchange } })
      .asResponse(),
  );
}

/** `POST /chat/completions`, plain. */
export function createChat(client: OpenAI, body: ChatRequestBody, exchange: Exchange): Promise<void> {
  const params = body as ChatCompletionCreateParamsNonStreaming;
  return settled(exchange, client.chat.completions.create(params, { fetchOptions: { client: exchange } }).asResponse());
}

/**
 * `GET /responses/{id}`, as a stream or as it stands.
 * @param include as the request had it, so that the answer holds what was asked for
 */
export function retrieve(
  client: OpenAI,
  id: string,
  how: { stream: boolean; startingAfter: number | null; include: unknown },
  exchange: Exchange,
): Promise<void> {
  const query = {
    ...(Array.isArray(how.include) && how.include.length > 0 ? { include: how.include as ResponseIncludable[] } : {}),
    ...(how.stream ? { stream: true } : {}),
    ...(how.stream && how.startingAfter !== null ? { starting_after: how.startingAfter } : {}),
  };
  return settled(exchange, client.responses.retrieve(id, query, { fetchOptions: { client: exchange } }).asResponse());
}

/** `POST /responses/{id}/cancel`. */
export function cancel(client: OpenAI, id: string, exchange: Exchange): Promise<void> {
  return settled(exchange, client.responses.cancel(id, { fetchOptions: { client: exchange } }).asResponse());
}

async function settled(exchange: Exchange, response: Promise<unknown>): Promise<void> {
  try {
    await response;
  } catch (error) {
    // An error status or a broken connection: the exchange has both. Anything that kept it from starting is a fault.
    if (!exchange.started) throw error;
  }
}
