/** The routes as a table, and what stands before them: keys, and errors in OpenAI's shape. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Machine } from '../machine.ts';
import { countInputTokens } from '../request/input-text.ts';
import { RefusedRequest } from '../request/refused.ts';
import { parseBody } from '../request/validate.ts';
import { putFaults, putLimits, sendHealth, sendLedger, sendStats } from './control.ts';
import { createChatCompletion } from './create-chat-completion.ts';
import { createResponse } from './create-response.ts';
import { type Exchange, openExchange, readBody, sendError, sendJson } from './exchange.ts';
import { cancelResponse, deleteResponse, listInputItems, retrieveResponse } from './read-response.ts';

type Handler = (machine: Machine, exchange: Exchange, id: string) => void | Promise<void>;

const MODELS = ['gpt-5', 'gpt-5-mini', 'gpt-5-nano', 'sim-reason'];
/** 2026-01-01, in seconds: the same at every start. */
const MODELS_CREATED = 1_767_225_600;
const CREATE = /^\/v1\/(responses|chat\/completions)$/;
const CONTROL = /^\/(simulator\/|healthz$|readyz$)/;

function model(id: string) {
  return { id, object: 'model', created: MODELS_CREATED, owned_by: 'openai' };
}

function listModels(_machine: Machine, exchange: Exchange): void {
  sendJson(exchange, 200, { object: 'list', data: MODELS.map(model) });
}

async function countTokens(machine: Machine, exchange: Exchange): Promise<void> {
  const body = parseBody(await readBody(exchange));
  sendJson(exchange, 200, {
    object: 'response.input_tokens',
    input_tokens: countInputTokens(body, machine.options.charactersPerToken),
  });
}

const ROUTES: [method: string, path: RegExp, handler: Handler][] = [
  ['POST', /^\/v1\/responses$/, createResponse],
  ['POST', /^\/v1\/chat\/completions$/, createChatCompletion],
  ['POST', /^\/v1\/responses\/input_tokens$/, countTokens],
  ['GET', /^\/v1\/responses\/([^/]+)$/, retrieveResponse],
  ['DELETE', /^\/v1\/responses\/([^/]+)$/, deleteResponse],
  ['POST', /^\/v1\/responses\/([^/]+)\/cancel$/, cancelResponse],
  ['GET', /^\/v1\/responses\/([^/]+)\/input_items$/, listInputItems],
  ['GET', /^\/v1\/models$/, listModels],
  ['GET', /^\/v1\/models\/([^/]+)$/, (_machine, exchange, id) => sendJson(exchange, 200, model(id))],
  ['GET', /^\/simulator\/ledger$/, sendLedger],
  ['GET', /^\/simulator\/stats$/, sendStats],
  ['PUT', /^\/simulator\/faults$/, putFaults],
  ['PUT', /^\/simulator\/limits$/, putLimits],
  ['GET', /^\/(?:healthz|readyz)$/, sendHealth],
];

function checkKey(machine: Machine, { req, url }: Exchange): void {
  if (!machine.apiKeys || CONTROL.test(url.pathname)) return;
  const key = /^Bearer\s+(.+)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (key !== undefined && machine.apiKeys.has(key)) return;
  const message =
    key === undefined
      ? "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth."
      : `Incorrect API key provided: ${key.slice(0, 4)}****.`;
  throw new RefusedRequest(401, message, { code: key === undefined ? null : 'invalid_api_key' });
}

async function route(machine: Machine, exchange: Exchange): Promise<void> {
  const { req, url } = exchange;
  checkKey(machine, exchange);
  const here = ROUTES.filter(([, path]) => path.test(url.pathname));
  const found = here.find(([method]) => method === req.method);
  if (found) {
    const [, path, handler] = found;
    await handler(machine, exchange, path.exec(url.pathname)?.[1] ?? '');
    return;
  }
  if (here.length === 0) {
    throw new RefusedRequest(404, `Invalid URL (${req.method} ${url.pathname})`, { code: 'unknown_url' });
  }
  throw new RefusedRequest(405, `Not allowed to ${req.method} on ${url.pathname}.`, { code: 'method_not_supported' });
}

/** Answers one request, whatever it holds: what is thrown becomes an error body. */
export async function handle(machine: Machine, req: IncomingMessage, res: ServerResponse): Promise<void> {
  let exchange: Exchange | undefined;
  try {
    exchange = openExchange(req, res);
    await route(machine, exchange);
  } catch (error) {
    if (!exchange || res.headersSent) {
      res.destroy();
      return;
    }
    const known = error instanceof RefusedRequest ? error : undefined;
    if (known && CREATE.test(exchange.url.pathname)) machine.counts.refused += 1;
    // A fault of the simulator itself must not pass for one it was asked for.
    const message = error instanceof Error ? error.message : String(error);
    sendError(
      exchange,
      known ?? new RefusedRequest(500, `The simulator failed: ${message}`, { code: 'simulator_bug' }),
    );
  }
}
