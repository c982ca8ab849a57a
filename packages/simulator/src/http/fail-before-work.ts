/** The faults that hit before any work: an error answer, a reset, or silence. None of them is billed. */
import type { ChosenFault, FaultBeforeWork } from '../calls/faults.ts';
import { RefusedRequest } from '../request/refused.ts';
import { type Exchange, sendError, sendText } from './exchange.ts';
import { setRetryAfter } from './limit-headers.ts';

interface ErrorAnswer {
  status: number;
  message: (model: string) => string;
  type?: string;
  param?: string;
  code?: string;
}

const DEFAULT_RETRY_AFTER_SECONDS = 1;
const MS_PER_SECOND = 1000;

const ERRORS: Partial<Record<FaultBeforeWork, ErrorAnswer>> = {
  '429': {
    status: 429,
    message: (model) => `Rate limit reached for ${model} on requests per min (RPM). Please try again later.`,
    type: 'requests',
    code: 'rate_limit_exceeded',
  },
  quota: {
    status: 429,
    message: () => 'You exceeded your current quota, please check your plan and billing details.',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  },
  '400': { status: 400, message: () => "Invalid value for 'input'.", param: 'input', code: 'invalid_value' },
  '401': { status: 401, message: () => 'Incorrect API key provided.', code: 'invalid_api_key' },
  '403': {
    status: 403,
    message: (model) => `Project does not have access to model \`${model}\`.`,
    code: 'model_not_found',
  },
  '404': {
    status: 404,
    message: (model) => `The model \`${model}\` does not exist or you do not have access to it.`,
    param: 'model',
    code: 'model_not_found',
  },
  '408': { status: 408, message: () => 'The request timed out.', type: 'server_error', code: 'request_timeout' },
  '409': { status: 409, message: () => 'The request conflicted with another one.', code: 'conflict' },
  '422': { status: 422, message: () => 'The request could not be processed.', param: 'input', code: 'unprocessable' },
  '500': {
    status: 500,
    message: () => 'The server had an error while processing your request. Sorry about that!',
    type: 'server_error',
  },
  '503': {
    status: 503,
    message: () => 'The engine is currently overloaded, please try again later.',
    type: 'server_error',
  },
};

const BAD_GATEWAY = `<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr><center>cloudflare</center>
</body>
</html>
`;

/** Lets the fault happen; `silent` holds the connection until the client leaves. */
export function failBeforeWork(exchange: Exchange, kind: FaultBeforeWork, fault: ChosenFault, model: string): void {
  const { res, socket } = exchange;
  switch (kind) {
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'silent':
      return;
    case '502html':
      sendText(exchange, 502, 'text/html', BAD_GATEWAY);
      return;
    case '429':
      setRetryAfter(res, (fault.afterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS) * MS_PER_SECOND);
      break;
    default:
      if (fault.afterSeconds !== undefined) setRetryAfter(res, fault.afterSeconds * MS_PER_SECOND);
  }
  const error = ERRORS[kind];
  if (!error) throw new Error(`no answer for fault ${kind}`);
  const { status, message, ...details } = error;
  sendError(exchange, new RefusedRequest(status, message(model), details));
}
