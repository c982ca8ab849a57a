/** POST /v1/chat/completions: the same answers, limits, faults and bill as POST /v1/responses, in a chat's words. */
import { inChatNames, readChatRequest } from '../chat/read-chat-request.ts';
import type { Machine } from '../machine.ts';
import { parseBody } from '../request/validate.ts';
import { answerCall } from './answer-call.ts';
import { chatWire } from './chat-wire.ts';
import { type Exchange, readBody } from './exchange.ts';

/** Handles one chat request. Throws a RefusedRequest for what OpenAI would refuse. */
export async function createChatCompletion(machine: Machine, exchange: Exchange): Promise<void> {
  machine.counts.requests += 1;
  const text = await readBody(exchange);
  const { request, includeUsage } = readChatRequest(parseBody(text));
  inChatNames(() => answerCall(machine, exchange, { request, bodyCharacters: text.length }, chatWire(includeUsage)));
}
