/** Cancels a response that is made in the background, so that no more of it is billed. Never throws, and is bounded. */
import { isUsableId } from './background-response.ts';
import { BodyText } from './body-text.ts';
import { isClosed } from './classify-connection.ts';
import { classifyStatus } from './classify-status.ts';
import { DECISIONS } from './decision-table.ts';
import { type Ending, Exchange } from './exchange.ts';
import { Flight } from './flight.ts';
import { isObject, parseJson } from './json.ts';
import type { Line } from './line.ts';
import { paceMs } from './pace.ts';
import { cancel } from './send.ts';

export type CancelResult =
  /** The upstream has taken the wish. */
  | 'cancelled'
  /** There was nothing left to cancel: it does not know the response, or the response had ended. */
  | 'gone'
  /** It would not, or could not be asked; the response may go on. */
  | 'failed';

const ENDED: ReadonlySet<unknown> = new Set(['completed', 'incomplete', 'failed']);

/** @param boundMs of the whole, over all tries. */
export async function cancelResponse(line: Line, upstreamId: string, boundMs: number): Promise<CancelResult> {
  if (!isUsableId(upstreamId)) return 'failed';
  const flight = new Flight(boundMs, new AbortController().signal);
  try {
    for (let tries = 0; flight.stoppedBy === null; tries++) {
      const exchange = flight.begin(new Exchange(true, line.idleMs));
      await cancel(line.client, upstreamId, exchange);
      const result = resultOf(exchange, await exchange.ended, upstreamId);
      if (result !== 'again') return result;
      await flight.pause(paceMs(tries));
    }
  } catch (error) {
    line.onFault(error);
  } finally {
    flight.close();
  }
  return 'failed';
}

function resultOf(exchange: Exchange, ending: Ending, upstreamId: string): CancelResult | 'again' {
  const { status, headers, body } = exchange;
  if (ending.kind === 'broken' && isClosed(ending.error)) return 'failed';
  if (status === null || !(body instanceof BodyText)) return 'again';
  const text = body.text();
  if (status === 404 || status === 410) return 'gone';
  if (status >= 300)
    return DECISIONS[classifyStatus(status, headers, text).row].verdict === 'retry' ? 'again' : 'failed';
  const response = parseJson(text);
  if (!isObject(response) || response['id'] !== upstreamId) return 'failed';
  return ENDED.has(response['status']) ? 'gone' : 'cancelled';
}
