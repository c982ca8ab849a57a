/**
 * The SDK's client, with the request's unchanging part built once instead of for each call: URL and headers are the
 * SDK's own, less its telemetry, and less Authorization where no key is configured.
 */
import { type ClientOptions, OpenAI } from 'openai';

type BuildRequest = OpenAI['buildRequest'];
type Built = Awaited<ReturnType<BuildRequest>>;
type Fetch = NonNullable<ClientOptions['fetch']>;

/** The SDK refuses to start without a key; servers that need none are never sent this one. */
const NO_KEY = 'none';

/** Ours, and longer than any call's: the Exchange ends on time by itself. setTimeout takes no more than this. */
const NEVER_MS = 2 ** 31 - 1;

export class LeanClient extends OpenAI {
  readonly #keyless: boolean;
  readonly #fetch: Fetch;
  #responses: Promise<Built> | null = null;

  constructor(options: { baseURL: string; fetch: Fetch }, apiKey: string | undefined) {
    super({
      ...options,
      apiKey: apiKey ?? NO_KEY,
      adminAPIKey: null,
      maxRetries: 0,
      timeout: NEVER_MS,
      // Its debug level would print prompts.
      logLevel: 'off',
    });
    this.#keyless = apiKey === undefined;
    this.#fetch = options.fetch;
  }

  /** The SDK's hook for a request's time limit, less its timer and signal: the Exchange has both. */
  override fetchWithTimeout(...[url, init]: Parameters<OpenAI['fetchWithTimeout']>): Promise<Response> {
    return this.#fetch(url, init);
  }

  /** The SDK's hook for building a request. `POST /responses` comes from a template; all else is built as usual. */
  override async buildRequest(...[options, attempt]: Parameters<BuildRequest>): Promise<Built> {
    if (options.path !== '/responses' || options.method !== 'post') {
      return this.#strip(await super.buildRequest(options, attempt));
    }
    this.#responses ??= super
      .buildRequest({ method: 'post', path: '/responses', body: {} })
      .then((built) => withPlainHeaders(this.#strip(built)));
    const { req, url, timeout } = await this.#responses;
    return { req: Object.assign({}, req, options.fetchOptions, { body: JSON.stringify(options.body) }), url, timeout };
  }

  #strip(built: Built): Built {
    const { headers } = built.req;
    const names = [...headers].map(([name]) => name);
    for (const name of names) if (name.startsWith('x-stainless-')) headers.delete(name);
    if (this.#keyless) headers.delete('authorization');
    headers.set('user-agent', 'Millrace');
    // Absent would mean "any": an encoded answer costs time to decode and buys nothing at these sizes.
    headers.set('accept-encoding', 'identity');
    return built;
  }
}

/** Headers are only handed on from here: walking the platform's `Headers` for each call is what would cost. */
function withPlainHeaders({ req, ...built }: Built): Built {
  return { ...built, req: { ...req, headers: Object.fromEntries(req.headers) as unknown as Headers } };
}
