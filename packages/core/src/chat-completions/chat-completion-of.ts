/** A finished Response object as what POST /v1/chat/completions answers: a completion, or the error of a failed one. */

import type { ErrorBody } from '../errors.ts';
import type { ResponseObject } from '../outcome.ts';
import { chatCompletionId, finishReasonOf, standingFieldsOf, usageOf } from './answer-fields.ts';
import type { ChatCompletion } from './chat-completion.ts';
import { chatErrorOfResponse } from './chat-error.ts';
import { messageOf } from './message-of.ts';

export interface ChatAnswerHead {
  /** Of the response, `resp_…`: the completion's own is made of it. */
  id: string;
  model: string;
  /** Seconds since 1970. */
  created: number;
  /** As the request's conversion said. */
  functionCall?: boolean;
}

/** HTTP status and body, as an answer or a batch line carries them. */
export type ChatAnswer = { status: 200; body: ChatCompletion } | { status: number; body: ErrorBody };

/** @throws TypeError for a response that is not finished: there is nothing to tell of it yet. */
export function chatCompletionOf(response: ResponseObject, head: ChatAnswerHead): ChatAnswer {
  if (response.status === 'queued' || response.status === 'in_progress') {
    throw new TypeError(`The response ${response.id} is ${response.status}: only a finished one can be told.`);
  }
  const error = chatErrorOfResponse(response);
  if (error !== undefined) return error;
  const { message, logprobs, call } = messageOf(
    Array.isArray(response.output) ? response.output : [],
    head.functionCall ?? false,
  );
  const usage = usageOf(response);
  const body: ChatCompletion = {
    id: chatCompletionId(head.id),
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    choices: [{ index: 0, message, logprobs, finish_reason: finishReasonOf(response, call) }],
    ...(usage && { usage }),
    ...standingFieldsOf(response),
  };
  return { status: 200, body };
}
