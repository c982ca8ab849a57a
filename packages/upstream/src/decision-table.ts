/**
 * The decisions, one row for each way a call can go wrong, each with its reason. Nothing else in this package decides
 * whether a job is tried again; the one thing that outranks a row is the upstream's own `x-should-retry` header.
 */
import type { AttemptReason } from '@millrace/core';

export interface Row {
  /** `hold`: tried again when somebody has mended the key; the job is not at fault, whatever headers say. */
  verdict: 'retry' | 'fail' | 'hold';
  /** false: the try says nothing about the job, and uses up none of its attempts. */
  counts?: false;
  reason: AttemptReason;
  /** The error's code where the upstream gave none of its own. */
  code: string;
  /** Whether an answer may have been made, and charged, that we did not get to read. */
  billed: 'no' | 'possibly' | 'if sent';
  why: string;
}

export const DECISIONS = {
  // An HTTP status that is an error.
  rateLimited: {
    verdict: 'retry',
    counts: false,
    reason: 'rate_limited',
    code: 'rate_limit_exceeded',
    billed: 'no',
    why: 'The same request will be taken later; it was turned away at admission.',
  },
  outOfQuota: {
    verdict: 'hold',
    counts: false,
    reason: 'insufficient_quota',
    code: 'insufficient_quota',
    billed: 'no',
    why: 'The account is out of money, though it looks like a rate limit (429): the limit is closed, its jobs wait for that to be mended.',
  },
  requestTimeout: {
    verdict: 'retry',
    reason: 'request_timeout',
    code: 'request_timeout',
    billed: 'no',
    why: '408: the server did not get the whole request in time, so it cannot have worked on it.',
  },
  conflict: {
    verdict: 'retry',
    reason: 'conflict',
    code: 'conflict',
    billed: 'no',
    why: '409: something else held what the request needs; OpenAI says to try again.',
  },
  serverError: {
    verdict: 'retry',
    reason: 'upstream_error',
    code: 'server_error',
    billed: 'no',
    why: 'The server says itself that it failed (500, 503, 529 …): there is no answer to pay for.',
  },
  gatewayError: {
    verdict: 'retry',
    reason: 'upstream_error',
    code: 'gateway_error',
    billed: 'possibly',
    why: '502, 504, 520, 524: a proxy lost or gave up on the server behind it, which may have gone on and finished.',
  },
  notImplemented: {
    verdict: 'fail',
    reason: 'upstream_error',
    code: 'not_implemented',
    billed: 'no',
    why: '501, 505: this server does not do this, and will not do it in a minute either.',
  },
  badRequest: {
    verdict: 'fail',
    reason: 'bad_request',
    code: 'bad_request',
    billed: 'no',
    why: '400 and every 4xx without a row of its own: the request itself is at fault, the same again gets the same.',
  },
  unauthorized: {
    verdict: 'hold',
    counts: false,
    reason: 'unauthorized',
    code: 'unauthorized',
    billed: 'no',
    why: '401: the key is missing or wrong; only an operator can mend that, and until then every job would fail alike.',
  },
  forbidden: {
    verdict: 'fail',
    reason: 'forbidden',
    code: 'forbidden',
    billed: 'no',
    why: '403: the key may not do this; only an operator can mend that.',
  },
  notFound: {
    verdict: 'fail',
    reason: 'not_found',
    code: 'not_found',
    billed: 'no',
    why: '404: the model or the path does not exist there.',
  },
  unprocessable: {
    verdict: 'fail',
    reason: 'unprocessable',
    code: 'unprocessable',
    billed: 'no',
    why: '422: the server read the request and cannot serve it; the same again gets the same.',
  },
  redirected: {
    verdict: 'fail',
    reason: 'bad_request',
    code: 'redirected',
    billed: 'no',
    why: '3xx: the base URL is not where the API is. Following would send key and prompt where nobody configured it.',
  },

  // The connection.
  unreachable: {
    verdict: 'retry',
    reason: 'connection',
    code: 'connection_failed',
    billed: 'no',
    why: 'Refused, no such host, no TLS: nothing was sent, and servers come back.',
  },
  connectTimeout: {
    verdict: 'retry',
    reason: 'connection',
    code: 'connect_timeout',
    billed: 'no',
    why: 'No connection within connectSeconds: nothing was sent.',
  },
  connectionLost: {
    verdict: 'retry',
    reason: 'connection',
    code: 'connection_lost',
    billed: 'possibly',
    why: 'Reset or closed after the request went out: the server may have had it.',
  },
  timeout: {
    verdict: 'retry',
    reason: 'timeout',
    code: 'timeout',
    billed: 'if sent',
    why: 'No complete answer within the time of the call; the server may still be working on it.',
  },
  stalled: {
    verdict: 'retry',
    reason: 'stalled',
    code: 'stalled',
    billed: 'possibly',
    why: 'Silence for longer than idleSeconds in the middle of an answer: it was being made.',
  },

  // An answer that cannot be used.
  notHttp: {
    verdict: 'retry',
    reason: 'malformed',
    code: 'malformed_response',
    billed: 'possibly',
    why: 'What came back is no HTTP or in no known encoding; something in between may have mangled a good answer.',
  },
  tooLarge: {
    verdict: 'retry',
    reason: 'malformed',
    code: 'response_too_large',
    billed: 'possibly',
    why: 'Larger than any answer: the reading stopped so that memory stays flat.',
  },
  notJson: {
    verdict: 'retry',
    reason: 'malformed',
    code: 'malformed_response',
    billed: 'possibly',
    why: 'A success that holds no JSON, such as a proxy’s HTML page or an answer cut short.',
  },
  notAResponse: {
    verdict: 'retry',
    reason: 'malformed',
    code: 'malformed_response',
    billed: 'possibly',
    why: 'JSON, but not a finished Response object; a job must not complete on it.',
  },
  cutStream: {
    verdict: 'retry',
    reason: 'cut_stream',
    code: 'cut_stream',
    billed: 'possibly',
    why: 'The stream ended without a terminal event: however good the text looks, it is not known to be whole.',
  },
  streamError: {
    verdict: 'retry',
    reason: 'response_failed',
    code: 'server_error',
    billed: 'possibly',
    why: 'An `error` event in mid-stream without a cause in the request: part of the answer had been made.',
  },

  // A Response that says it went wrong.
  responseFailed: {
    verdict: 'retry',
    reason: 'response_failed',
    code: 'server_error',
    billed: 'no',
    why: 'status failed with server_error or no code: the answer was read whole, and nothing blames the request.',
  },
  responseRateLimited: {
    verdict: 'retry',
    reason: 'response_rate_limited',
    code: 'rate_limit_exceeded',
    billed: 'no',
    why: 'status failed with rate_limit_exceeded: the limit was met after admission; later it will do.',
  },
  responseRejected: {
    verdict: 'fail',
    reason: 'response_failed',
    code: 'response_failed',
    billed: 'no',
    why: 'status failed with any other code (invalid_prompt, image_too_large …): the request is at fault.',
  },
  responseCancelled: {
    verdict: 'retry',
    reason: 'response_cancelled',
    code: 'response_cancelled',
    billed: 'no',
    why: 'status cancelled, though nobody here cancelled it: the upstream gave it up, the job still wants its answer.',
  },
  responseGone: {
    verdict: 'retry',
    reason: 'response_gone',
    code: 'response_gone',
    billed: 'possibly',
    why: '404 or 410 on retrieving: a response that was asked for is no longer there, and nobody knows how far it came.',
  },
  wrongResponse: {
    verdict: 'retry',
    reason: 'response_gone',
    code: 'wrong_response',
    billed: 'possibly',
    why: 'Another response’s id on retrieving: whatever it says answers another request; ours is as good as gone.',
  },
  refused: {
    verdict: 'fail',
    reason: 'refused',
    code: 'refusal',
    billed: 'no',
    why: 'The model refused an extraction: there is no value, and asking again gets the same refusal.',
  },
  schemaMismatch: {
    verdict: 'retry',
    reason: 'schema_mismatch',
    code: 'schema_mismatch',
    billed: 'no',
    why: 'The extracted value does not fit its schema: models vary, another try often fits. This one is paid and counted.',
  },

  // Our side.
  invalidSchema: {
    verdict: 'fail',
    reason: 'bad_request',
    code: 'invalid_schema',
    billed: 'no',
    why: 'The schema does not compile, so no answer could ever be checked: nothing is sent.',
  },
  noModel: {
    verdict: 'fail',
    reason: 'not_found',
    code: 'model_not_found',
    billed: 'no',
    why: 'No model is named and the upstream lists none: only an operator can load or name one.',
  },
  deadlineExceeded: {
    verdict: 'fail',
    reason: 'deadline_exceeded',
    code: 'deadline_exceeded',
    billed: 'if sent',
    why: 'The job’s own deadline passed while it was being answered: its producer no longer wants it.',
  },
  internal: {
    verdict: 'retry',
    reason: 'internal',
    code: 'internal_error',
    billed: 'if sent',
    why: 'A fault of ours must not lose the job; the attempts bound it.',
  },
} as const satisfies Record<string, Row>;

export type RowName = keyof typeof DECISIONS;
