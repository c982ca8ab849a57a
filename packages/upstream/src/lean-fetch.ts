/**
 * A `fetch` for the SDK that costs a third of the platform's: no Request, no Headers, no web streams, only what the
 * SDK's own code reads of a response. Every call must bring its Exchange as `fetchOptions.client`.
 */
import type { ClientOptions } from 'openai';
import type { Dispatcher } from 'undici';
import type { AnswerHeaders } from './answer-headers.ts';
import { BodyText } from './body-text.ts';
import { Exchange } from './exchange.ts';

type Fetch = NonNullable<ClientOptions['fetch']>;

/** The part of a Response that the SDK touches between `create()` and `asResponse()`. */
class LeanResponse {
  readonly body = null;
  readonly url = '';
  readonly ok: boolean;
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly #exchange: Exchange;

  constructor(exchange: Exchange, status: number) {
    this.ok = status >= 200 && status < 300;
    this.status = status;
    this.headers = exchange.headers;
    this.#exchange = exchange;
  }

  /** Read by the SDK for error answers only. Never rejects: half an explanation is better than none. */
  async text(): Promise<string> {
    await this.#exchange.ended;
    return this.#exchange.body instanceof BodyText ? this.#exchange.body.text() : '';
  }
}

/** @throws TypeError (rejects) when the call brings no Exchange: nothing else can end it. */
export function leanFetch(dispatcher: Dispatcher): Fetch {
  return async (input, init) => {
    const exchange: unknown = init !== undefined && 'client' in init ? init.client : undefined;
    if (!(exchange instanceof Exchange)) throw new TypeError('fetchOptions.client must be an Exchange');
    const { pathname, search } = new URL(String(input));
    // Plain ones are those of LeanClient's template.
    const headers =
      init?.headers instanceof Headers ? Object.fromEntries(init.headers) : (init?.headers as Record<string, string>);
    const body = typeof init?.body === 'string' ? init.body : null;
    const method = init?.method?.toUpperCase() ?? 'GET';
    await exchange.dispatch(dispatcher, { path: pathname + search, method, headers, body });
    // The SDK asks for no more than LeanResponse has; the tests run every path of it that is used here.
    return new LeanResponse(exchange, exchange.status ?? 0) as unknown as Response;
  };
}
