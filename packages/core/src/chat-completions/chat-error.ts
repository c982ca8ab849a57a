/** A response without an answer as the error a Chat client meets: there, a completion cannot have failed. */

import type { ErrorBody } from '../errors.ts';
import type { ResponseObject } from '../outcome.ts';
import { isJsonObject } from '../responses-request-fault.ts';

export interface ChatError {
  status: number;
  body: ErrorBody;
}

const SERVER_ERROR = 'server_error';

/** Code of a failed response → HTTP status and type. Every other code names something wrong with the request. */
const BY_CODE: ReadonlyMap<string, { status: number; type: string }> = new Map([
  [SERVER_ERROR, { status: 500, type: SERVER_ERROR }],
  ['vector_store_timeout', { status: 500, type: SERVER_ERROR }],
  ['rate_limit_exceeded', { status: 429, type: 'rate_limit_error' }],
]);
const OF_REQUEST = { status: 400, type: 'invalid_request_error' };

/** An error by its code, as far as one was told; the wording is the upstream's. */
export function chatErrorOf(error: Readonly<Record<string, unknown>>): ChatError {
  const code = typeof error.code === 'string' ? error.code : SERVER_ERROR;
  const message = typeof error.message === 'string' ? error.message : 'The response failed.';
  const param = typeof error.param === 'string' ? error.param : null;
  const { status, type } = BY_CODE.get(code) ?? OF_REQUEST;
  return { status, body: { error: { message, type, param, code } } };
}

/** The error of a response that failed or was cancelled; undefined for one that was answered, whole or cut short. */
export function chatErrorOfResponse(response: ResponseObject): ChatError | undefined {
  if (response.status === 'failed') return chatErrorOf(isJsonObject(response.error) ? response.error : {});
  // 400, so that no SDK tries again by itself what somebody stopped.
  if (response.status === 'cancelled')
    return chatErrorOf({ code: 'cancelled', message: 'The response was cancelled.' });
  return undefined;
}
