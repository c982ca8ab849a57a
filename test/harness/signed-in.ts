/** A signed-in caller of the dashboard's API, as its pages are: with the cookie, and the token that changes need. */
import { call, type Reply } from './http.ts';

export interface SignedIn {
  cookie: string;
  csrf: string;
  /** As a page of ours would ask. */
  headers: Record<string, string>;
}

export async function signIn(dashboard: string, key: string, headers: Record<string, string> = {}): Promise<SignedIn> {
  const reply: Reply<{ csrf: string }> = await call('POST', `${dashboard}/api/session`, { key }, headers);
  const cookie = reply.headers.get('set-cookie')?.split(';')[0];
  if (reply.status !== 200 || cookie === undefined) throw new Error(`${reply.status}: ${reply.text}`);
  const { csrf } = reply.body;
  return { cookie, csrf, headers: { cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'same-origin' } };
}
