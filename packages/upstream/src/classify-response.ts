/** What was read of a successful exchange becomes a finding, or an answer that is fit to be used. */
import type { Answer, ResponseObject } from '@millrace/core';
import { saysOutOfQuota } from './classify-status.ts';
import type { Finding } from './decide.ts';
import type { RowName } from './decision-table.ts';
import { type ErrorWords, errorWords, noteOf } from './error-words.ts';
import type { StreamResult } from './event-reader.ts';
import { isObject, parseJson } from './json.ts';
import { outputText } from './output-text.ts';
import { usageOf } from './usage.ts';

export type ReadAnswer = { answer: Answer; incomplete: string | null } | Finding;

/** A plain answer's text. */
export function classifyBody(text: string, contentType: string | null): ReadAnswer {
  const value = parseJson(text);
  return value === undefined ? notJson(text, contentType) : classifyResponse(value);
}

/** An answer whose text is no JSON: what it seems to be is said instead. */
export function notJson(text: string, contentType: string | null): Finding {
  const note = noteOf(text, contentType);
  return { row: 'notJson', message: `The upstream's answer is no JSON but ${note ?? 'empty'}.` };
}

/** What a stream came to; null when it ended without a terminal event. */
export function classifyStream(result: StreamResult | null): ReadAnswer {
  if (result === null) return { row: 'cutStream', message: 'The stream ended without a terminal event.' };
  switch (result.kind) {
    case 'response':
      return classifyResponse(result.response);
    case 'garbled':
      return { row: 'notAResponse', message: 'The terminal event of the stream holds no response.' };
    case 'error': {
      const words = errorWords(result.error, 'The upstream broke its stream off with an error.');
      const row = rowOfFailure(words);
      return { row: row === 'responseFailed' ? 'streamError' : row, ...said(words) };
    }
  }
}

/** A parsed answer, which may be anything. */
export function classifyResponse(value: unknown): ReadAnswer {
  if (!isResponse(value)) return notA('Response object', value);
  const answer: Answer = { response: value, output_text: outputText(value.output), usage: usageOf(value) };
  switch (value.status ?? 'completed') {
    case 'completed':
      return Array.isArray(value.output) ? { answer, incomplete: null } : withoutOutput(value);
    case 'incomplete':
      return { answer, incomplete: incompleteReason(value) };
    case 'failed': {
      const words = errorWords(value.error, 'The upstream says that the response failed, and not why.');
      return { row: rowOfFailure(words), ...said(words), answer, upstreamId: value.id };
    }
    case 'cancelled':
      return {
        row: 'responseCancelled',
        message: 'The upstream cancelled the response.',
        answer,
        upstreamId: value.id,
      };
    default: {
      const message = `The upstream answered with a response that is still '${String(value.status).slice(0, 40)}'.`;
      const pending = value.status === 'queued' || value.status === 'in_progress' ? { pending: value } : {};
      return { row: 'notAResponse', message, upstreamId: value.id, ...pending };
    }
  }
}

function isResponse(value: unknown): value is ResponseObject {
  if (!isObject(value) || value['object'] !== 'response' || typeof value['id'] !== 'string') return false;
  return value['status'] == null || typeof value['status'] === 'string';
}

/**
 * An answer that is not what was asked for. Some proxies answer 200 with an error in the body: what it says is the best
 * message there is.
 */
export function notA(wanted: 'Response object' | 'chat completion', value: unknown): Finding {
  if (isObject(value) && value['error']) {
    return { row: 'notAResponse', ...said(errorWords(value, 'The upstream answered with an error.')) };
  }
  const what = isObject(value) && typeof value['object'] === 'string' ? `a '${value['object'].slice(0, 40)}'` : 'JSON';
  return { row: 'notAResponse', message: `The upstream answered with ${what} that is no ${wanted}.` };
}

function withoutOutput(response: ResponseObject): Finding {
  return { row: 'notAResponse', message: 'The completed response has no output.', upstreamId: response.id };
}

function incompleteReason(response: ResponseObject): string {
  const details: unknown = response.incomplete_details;
  const reason = isObject(details) ? details['reason'] : undefined;
  return typeof reason === 'string' && reason !== '' ? reason.slice(0, 100) : 'unknown';
}

/** Shared by `status: "failed"` and by `error` events: both carry the same codes. */
function rowOfFailure(words: ErrorWords): RowName {
  if (saysOutOfQuota(words)) return 'outOfQuota';
  if (words.code === null) return words.type === 'invalid_request_error' ? 'responseRejected' : 'responseFailed';
  if (words.code === 'server_error') return 'responseFailed';
  return words.code === 'rate_limit_exceeded' ? 'responseRateLimited' : 'responseRejected';
}

function said(words: ErrorWords): Pick<Finding, 'message' | 'code' | 'param'> {
  return { message: words.message, code: words.code, param: words.param };
}
