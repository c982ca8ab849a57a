/** What can be asked about a response that exists: read or replay it, cancel it, delete it, list its input. */
import { type Call, hasEnded } from '../calls/call.ts';
import { responseObject } from '../calls/response.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { Machine } from '../machine.ts';
import { badParameter, RefusedRequest } from '../request/refused.ts';
import { markDelivered } from './bill.ts';
import { deliverStream } from './deliver-stream.ts';
import { type Exchange, sendJson, whenDelivered } from './exchange.ts';
import { responsesStream } from './responses-wire.ts';

const DEFAULT_LIST_LIMIT = 20;
const MAX_LIST_LIMIT = 100;

function findCall(machine: Machine, id: string): Call {
  const call = machine.store.get(id);
  if (!call || call.gone) throw new RefusedRequest(404, `Response with id '${id}' not found.`);
  return call;
}

function readInteger(exchange: Exchange, name: string, fallback: number, min: number, max: number): number {
  const text = exchange.url.searchParams.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw badParameter(
    `Invalid '${name}': expected an integer between ${min} and ${max}, but got '${text}'.`,
    name,
    'invalid_value',
  );
}

/** GET /v1/responses/{id}; with `stream=true` its events after `starting_after`, live while it runs. */
export function retrieveResponse(machine: Machine, exchange: Exchange, id: string): void {
  const call = findCall(machine, id);
  if (call.unreadable > 0) {
    call.unreadable -= 1;
    throw new RefusedRequest(500, 'The server had an error while retrieving the response.', { type: 'server_error' });
  }
  const delivered = () => {
    if (call.retrieveId === call.id) markDelivered(machine, call);
  };
  const startingAfter = readInteger(exchange, 'starting_after', -1, 0, Number.MAX_SAFE_INTEGER - 1);
  if (exchange.url.searchParams.get('stream') === 'true') {
    deliverStream(exchange, call, machine.store.runOf(id), {
      from: startingAfter + 1,
      wire: responsesStream(call, call.retrieveId),
      delivered,
    });
    return;
  }
  if (hasEnded(call)) whenDelivered(exchange, delivered);
  sendJson(exchange, 200, responseObject(call, call.status, call.retrieveId));
}

/** POST /v1/responses/{id}/cancel: background only; a response that has ended is answered as it is. */
export function cancelResponse(machine: Machine, exchange: Exchange, id: string): void {
  const call = findCall(machine, id);
  if (!call.request.background) throw new RefusedRequest(400, 'Cannot cancel a synchronous response.');
  machine.store.runOf(id)?.cancel();
  sendJson(exchange, 200, responseObject(call));
}

/** DELETE /v1/responses/{id}: also ends its work. */
export function deleteResponse(machine: Machine, exchange: Exchange, id: string): void {
  findCall(machine, id);
  const run = machine.store.runOf(id);
  machine.store.delete(id);
  run?.cancel();
  sendJson(exchange, 200, { id, object: 'response', deleted: true });
}

function inputItems(call: Call): JsonObject[] {
  const { input } = call.request.body;
  const given: unknown[] = Array.isArray(input) ? input : [{ role: 'user', content: input ?? '' }];
  const hex = call.id.slice('resp_'.length, -4);
  return given.map((item, index) => {
    const known = isObject(item) ? item : {};
    const id = typeof known.id === 'string' ? known.id : `msg_${hex}${index.toString(16).padStart(4, '0')}`;
    if (known.type !== undefined && known.type !== 'message') return { ...known, id };
    const content = typeof known.content === 'string' ? [{ type: 'input_text', text: known.content }] : known.content;
    return { type: 'message', status: 'completed', ...known, id, content };
  });
}

/** GET /v1/responses/{id}/input_items, newest first, in pages. */
export function listInputItems(machine: Machine, exchange: Exchange, id: string): void {
  const items = inputItems(findCall(machine, id));
  const query = exchange.url.searchParams;
  if (query.get('order') !== 'asc') items.reverse();
  const limit = readInteger(exchange, 'limit', DEFAULT_LIST_LIMIT, 1, MAX_LIST_LIMIT);
  const after = query.get('after');
  const start = after === null ? 0 : items.findIndex((item) => item.id === after) + 1;
  const data = items.slice(start, start + limit);
  sendJson(exchange, 200, {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < items.length,
  });
}
