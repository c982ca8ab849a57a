/** Small HTTP calls for tests: status, headers and the parsed body in one. */

export interface Reply<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: T;
  text: string;
}

/** A JSON request; a string body is sent as it is. */
export async function call<T = Record<string, unknown>>(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply<T>> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: response.status, headers: response.headers, body: parsed as T, text };
}

/** Sends jobs as NDJSON; answers a parsed object a line. */
export async function submitLines(
  api: string,
  jobs: readonly unknown[],
  headers: Record<string, string> = {},
): Promise<{ id?: string; error?: { message: string; code: string; param: string } }[]> {
  const response = await fetch(`${api}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body: jobs.map((job) => (typeof job === 'string' ? job : JSON.stringify(job))).join('\n'),
  });
  const text = await response.text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
