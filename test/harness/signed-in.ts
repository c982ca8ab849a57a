/** A signed-in caller of the dashboard's API, as its pages are: with the cookie, and the token that changes need. */
import type { ApiKey } from '@millrace/core';
import { call, type Reply } from './http.ts';
import { type RoleProcess, startRole } from './processes.ts';

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

/** As a script asks that sends its key. */
export function bearer(secret: string): { authorization: string } {
  return { authorization: `Bearer ${secret}` };
}

/** The code of what was refused; undefined: it was not. */
export function refusalOf({ body }: { body: Record<string, unknown> }): unknown {
  return (body?.error as { code?: unknown } | undefined)?.code;
}

/** An operator's key and a viewer's. */
export const TWO_KEYS: readonly ApiKey[] = [
  { name: 'ops', role: 'operator', secret: 'op-secret' },
  { name: 'eyes', role: 'viewer', secret: 'see' },
];

/** A dashboard that asks for one of these keys. */
export function startLockedDashboard(
  env: Record<string, string>,
  keys: readonly ApiKey[] = TWO_KEYS,
): Promise<RoleProcess> {
  const told = keys.map(({ name, role, secret }) => `${name}:${role}:${secret}`).join(',');
  return startRole('dashboard', { ...env, MILLRACE_API_KEYS: told });
}
