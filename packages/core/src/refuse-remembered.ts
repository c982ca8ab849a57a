/**
 * What only an upstream that remembers can answer is refused before it is stored, where the upstream of its queue is
 * configured to remember nothing (`history`).
 */
import type { Config } from './config.ts';
import type { HistoryBounds } from './config-schema.ts';
import { InvalidRequestError } from './errors.ts';
import { inputItemsOf, isItemReference } from './input-items.ts';
import type { ResponsesBody } from './job.ts';
import { pathTo } from './responses-request-fault.ts';

/** The bounds of the history that a queue's jobs carry; undefined where its upstream remembers. */
export function historyOf({ queues, upstreams }: Config, queue: string): HistoryBounds | undefined {
  return upstreams[queues[queue]?.upstream ?? '']?.history;
}

/**
 * @param at path of `request` in what the caller sent; empty for the whole
 * @throws InvalidRequestError for a conversation, or an input item that stands for another by its id
 */
export function refuseRemembered(config: Config, queue: string, request: ResponsesBody, at: string): void {
  if (historyOf(config, queue) === undefined) return;
  const upstream = config.queues[queue]?.upstream;
  if (request.conversation != null) {
    const param = pathTo(at, 'conversation');
    throw new InvalidRequestError(
      `Unsupported parameter: '${param}'. The upstream '${upstream}' remembers no conversation; go on from the response before with 'previous_response_id', or send the messages in 'input'.`,
      param,
      'unsupported_parameter',
    );
  }
  const place = inputItemsOf(request.input).findIndex(isItemReference);
  if (place === -1) return;
  const param = pathTo(pathTo(at, 'input'), place);
  throw new InvalidRequestError(
    `Invalid value for '${param}': the upstream '${upstream}' remembers no item by its id; send the item itself, or go on from its response with 'previous_response_id'.`,
    param,
    'invalid_value',
  );
}
