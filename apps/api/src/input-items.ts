/** GET /v1/responses/{id}/input_items: what a response was asked, as a list of items, each with an id. */
import { createHash } from 'node:crypto';
import { InvalidRequestError, inputItemsOf, type ResponsesBody } from '@millrace/core';
import type { Request } from 'express';

type Item = Record<string, unknown> & { id: string };

const PAGE_DEFAULT = 20;
const PAGE_MOST = 100;

/** As OpenAI's ids of items begin, by their type. */
const PREFIXES: Record<string, string> = {
  message: 'msg',
  function_call: 'fc',
  function_call_output: 'fco',
  reasoning: 'rs',
  computer_call: 'cu',
  web_search_call: 'ws',
  file_search_call: 'fs',
};

/** All of a request's input, in its order. */
export function inputItems(jobId: string, input: ResponsesBody['input']): Item[] {
  return inputItemsOf(input).map((item, index) => itemOf(jobId, item, index));
}

function itemOf(jobId: string, item: Record<string, unknown>, index: number): Item {
  const type = typeof item.type === 'string' ? item.type : 'message';
  const made = `${PREFIXES[type] ?? type}_${createHash('sha256').update(`${jobId} ${index}`).digest('hex').slice(0, 48)}`;
  const id = typeof item.id === 'string' ? item.id : made;
  if (type !== 'message') return { ...item, id };
  const { content } = item;
  const text = item.role === 'assistant' ? 'output_text' : 'input_text';
  return {
    ...item,
    ...{ id, type, status: item.status ?? 'completed' },
    content: typeof content === 'string' ? [{ type: text, text: content }] : content,
  };
}

/**
 * A page of items, newest first unless asked otherwise.
 * @throws InvalidRequestError for a limit, order or item that does not exist
 */
export function itemsPage(items: readonly Item[], request: Request): Record<string, unknown> {
  const { limit: asked, order = 'desc', after } = request.query;
  const limit = Number(asked ?? PAGE_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MOST) {
    throw new InvalidRequestError(`'limit' must be a whole number from 1 to ${PAGE_MOST}.`, 'limit', 'invalid_value');
  }
  if (order !== 'asc' && order !== 'desc') {
    throw new InvalidRequestError("'order' must be asc or desc.", 'order', 'invalid_value');
  }
  const all = order === 'asc' ? [...items] : [...items].reverse();
  const before = after === undefined ? -1 : all.findIndex(({ id }) => id === after);
  if (after !== undefined && before === -1) {
    throw new InvalidRequestError('There is no such item to begin after.', 'after', 'invalid_value');
  }
  const data = all.slice(before + 1, before + 1 + limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: before + 1 + limit < all.length,
  };
}
