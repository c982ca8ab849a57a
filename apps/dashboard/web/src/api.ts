/** Asking the dashboard's server: JSON in and out, its errors as errors, the token of the session with every change. */
import { useEffect, useState } from 'react';

/** What the server refused, in its words. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string | null;
  readonly param: string | null;
  constructor(status: number, message: string, code: string | null, param: string | null) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

let token: string | null = null;
const signedOut = new Set<() => void>();

/** The token of the session that the page is shown in. */
export function useToken(csrf: string | null): void {
  token = csrf;
}

/** Calls `listener` when the server does not know us any more. Returns how to stop that. */
export function onSignedOut(listener: () => void): () => void {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

/** Finds out whether the session is still one, where something was refused that does not say why. */
export async function askWhoIAm(): Promise<void> {
  const answer = await fetch('/api/session').catch(() => null);
  if (answer?.status === 401) for (const listener of signedOut) listener();
}

/**
 * GETs, or sends `body` as JSON by `method`. `again`: it is the second try.
 * @throws ApiError when it is refused; TypeError when the server is not there
 */
export async function fetchJson<T>(
  path: string,
  options: { method?: string; body?: unknown; signal?: AbortSignal } = {},
  again = false,
): Promise<T> {
  const { method = options.body === undefined ? 'GET' : 'POST', body, signal } = options;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && token !== null) headers['x-csrf-token'] = token;
  const response = await fetch(path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status === 204) return undefined as T;
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer as T;
  const error = (answer as { error?: { message?: string; code?: string | null; param?: string | null } } | null)?.error;
  if (response.status === 401 && path !== '/api/session') for (const listener of signedOut) listener();
  // Without keys the token is as old as the server's process, which may be another one by now.
  if (error?.code === 'csrf' && !again && (await renewToken())) return fetchJson(path, options, true);
  throw new ApiError(
    response.status,
    error?.message ?? `The dashboard answered ${response.status}.`,
    error?.code ?? null,
    error?.param ?? null,
  );
}

/** Whether the session has another token than the page knew. */
async function renewToken(): Promise<boolean> {
  const before = token;
  const { csrf } = await fetchJson<{ csrf: string }>('/api/session');
  token = csrf;
  return csrf !== before;
}

export interface Fetched<T> {
  data: T | null;
  error: Error | null;
  /** Asks again; what is shown stays until the answer is there. */
  again(): void;
}

/** What is away is asked for again after so long, until it is back. */
const AWAY_RETRY_MS = 2000;

/** The server does not answer, or says that it cannot: Redis is away, or too much is asked of it. */
function isAway(error: Error): boolean {
  return error instanceof TypeError || (error instanceof ApiError && error.status === 503);
}

/** What a path answers, asked again when the path changes, and until what is away is back. null: nothing is asked for. */
export function useFetched<T>(path: string | null): Fetched<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; error: Error | null }>({
    path,
    data: null,
    error: null,
  });
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round asks the same again
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    fetchJson<T>(path, { signal: stop.signal }).then(
      (data) => setState({ path, data, error: null }),
      (error: Error) => {
        if (stop.signal.aborted) return;
        setState((before) => ({ path, data: before.path === path ? before.data : null, error }));
        if (isAway(error)) timer = setTimeout(() => setRound((before) => before + 1), AWAY_RETRY_MS);
      },
    );
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, round]);
  const { data, error } = state.path === path ? state : { data: null, error: null };
  return { data, error, again: () => setRound((before) => before + 1) };
}
