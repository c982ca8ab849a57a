/**
 * Reads out of a refusal whether it is about what we added to the request. Only then may the request be sent again
 * without it: a 4xx did no work, and nothing was billed.
 */
import { BodyText } from './body-text.ts';
import { classifyStatus } from './classify-status.ts';
import type { RowName } from './decision-table.ts';
import type { Exchange } from './exchange.ts';

/** The ways to refuse a request for what is in it. Limits, keys and quotas are about something else, whatever they name. */
const REFUSALS: ReadonlySet<RowName> = new Set(['badRequest', 'forbidden', 'notFound', 'unprocessable']);

/**
 * The word by itself, or as FastAPI names a field of the body; not as part of another name, nor as a field of something
 * else: an image tool has a `background`, too.
 */
const BACKGROUND = /(?:^|[^\w./-]|\bbody\.)background(?![\w/[-]|\.\w)/i;
const STREAM = /(?:^|[^\w./-]|\bbody\.)stream(?:ing|ed)?(?![\w/[-]|\.\w)/i;

/** null: the request was not refused for either. Both named: `stream`, because without it background may do. */
export function refusedFor(exchange: Exchange): 'background' | 'stream' | null {
  const { status, body } = exchange;
  if (status === null || status < 400 || status >= 500 || !(body instanceof BodyText)) return null;
  const { row, message, param } = classifyStatus(status, exchange.headers, body.text());
  if (!REFUSALS.has(row)) return null;
  const words = `${param ?? ''} ${message}`;
  if (STREAM.test(words)) return 'stream';
  return BACKGROUND.test(words) ? 'background' : null;
}
