/** A request that is answered with an error, in OpenAI's words and shape. */

export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
  readonly status: number;
  readonly body: ErrorBody;

  constructor(
    status: number,
    message: string,
    details: { type?: string; param?: string | null; code?: string | null } = {},
  ) {
    super(message);
    this.status = status;
    const { type = 'invalid_request_error', param = null, code = null } = details;
    this.body = { error: { message, type, param, code } };
  }
}

/** A 400 that names the parameter at fault. */
export function badParameter(message: string, param: string, code: string | null = null): RefusedRequest {
  return new RefusedRequest(400, message, { param, code });
}
