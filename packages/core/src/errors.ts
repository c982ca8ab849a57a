/**
 * Errors that carry the decision: who catches one knows what to answer or do without reading its message.
 */

/** OpenAI's error body. */
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** A caller's mistake. Over HTTP it becomes `status` with OpenAI's error body; nothing was stored. */
export class InvalidRequestError extends Error {
  override readonly name: string = 'InvalidRequestError';
  readonly status: number = 400;
  readonly type: string = 'invalid_request_error';
  readonly param: string | null;
  readonly code: string | null;

  constructor(message: string, param: string | null = null, code: string | null = null) {
    super(message);
    this.param = param;
    this.code = code;
  }
}

/** The thing asked for does not exist (or no longer does). */
export class NotFoundError extends InvalidRequestError {
  override readonly name = 'NotFoundError';
  override readonly status = 404;
  constructor(message: string, param: string | null = null, code: string | null = 'not_found') {
    super(message, param, code);
  }
}

/** The thing exists, but its state does not allow this. */
export class ConflictError extends InvalidRequestError {
  override readonly name = 'ConflictError';
  override readonly status = 409;
}

/** No key, a wrong key, or a key whose role may not do this. */
export class AccessError extends InvalidRequestError {
  override readonly name = 'AccessError';
  override readonly status: 401 | 403;
  override readonly type: string;
  constructor(status: 401 | 403, message: string, code: string) {
    super(message, null, code);
    this.status = status;
    this.type = status === 401 ? 'authentication_error' : 'permission_error';
  }
}

/** The body, or one line of it, is larger than its named limit. */
export class TooLargeError extends InvalidRequestError {
  override readonly name = 'TooLargeError';
  override readonly status = 413;
  constructor(message: string) {
    super(message, null, 'request_too_large');
  }
}

/** Not now: the caller may send the same again after `retryAfterSeconds`. Nothing was stored. */
export class ShedError extends Error {
  override readonly name = 'ShedError';
  readonly status: 429 | 503;
  readonly type: string;
  readonly param = null;
  readonly code: string;
  readonly retryAfterSeconds: number;

  constructor(status: 429 | 503, message: string, code: string, retryAfterSeconds: number) {
    super(message);
    this.status = status;
    this.type = status === 429 ? 'rate_limit_error' : 'server_error';
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Every fault of the configuration at once; the process must not start on it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(source: string, faults: readonly string[]) {
    super(
      `${source} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** A reason to stop at start that the operator can mend: printed as its message, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** True for errors made to be answered over HTTP. */
export function isAnswerable(error: unknown): error is InvalidRequestError | ShedError {
  return error instanceof InvalidRequestError || error instanceof ShedError;
}

/** OpenAI's error body for an answerable error. */
export function errorBody(error: InvalidRequestError | ShedError): ErrorBody {
  return { error: { message: error.message, type: error.type, param: error.param, code: error.code } };
}
