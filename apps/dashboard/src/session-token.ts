/**
 * What the session cookie holds: whose key signed in and when, signed with a secret made of that key alone. So a session
 * ends with its key, outlives a restart, is good at every dashboard of the same keys, and who holds one key can make
 * none of another's. Nothing is stored, but of those that were signed out of (see ended-sessions.ts).
 */
import { createHmac, hash, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from '@millrace/core';

/** How long a session lasts, from the sign-in on, whatever is done in it: a long day's shift. */
export const SESSION_MS = 12 * 3_600_000;
const NONCE_BYTES = 18;
const SECRET_BYTES = 32;

export interface TokenHolder {
  key: ApiKey;
  /** Tells it from others; of no use to who wants to be let in. */
  session: string;
  /** What the session's pages send with whatever changes something: cannot be made without the key's secret. */
  csrf: string;
  /** When the session ends, in ms. */
  endsAt: number;
}

export interface SessionTokens {
  issue(key: ApiKey): string;
  /** Whose session it is; null where it is forged, over, or its key is gone. */
  read(token: string): TokenHolder | null;
}

export function openSessionTokens(keys: readonly ApiKey[], now: () => number = Date.now): SessionTokens {
  // Slow on purpose, and done once a key: a stolen cookie must be no quick way to try out secrets.
  const secrets = new Map<string, Buffer>();
  const secretOf = ({ name, secret }: ApiKey): Buffer => {
    const made = secrets.get(name) ?? scryptSync(secret, `millrace session\0${name}`, SECRET_BYTES);
    secrets.set(name, made);
    return made;
  };
  const mac = (key: ApiKey, use: string, text: string): Buffer =>
    createHmac('sha256', secretOf(key)).update(`${use}\0${text}`).digest();

  return {
    issue: (key) => {
      const payload = encode({ name: key.name, at: now(), nonce: randomBytes(NONCE_BYTES).toString('base64url') });
      return `${payload}.${mac(key, 'session', payload).toString('base64url')}`;
    },
    read: (token) => {
      const [payload = '', signature = ''] = token.split('.', 2);
      const { name, at } = decode(payload);
      const key = keys.find((one) => one.name === name);
      if (key === undefined || typeof at !== 'number') return null;
      const [given, expected] = [Buffer.from(signature, 'base64url'), mac(key, 'session', payload)];
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
      const endsAt = at + SESSION_MS;
      const csrf = mac(key, 'csrf', payload).toString('base64url');
      return now() < endsAt ? { key, session: hash('sha256', payload, 'base64url'), csrf, endsAt } : null;
    },
  };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(payload: string): { name?: unknown; at?: unknown } {
  try {
    return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as object | null) ?? {};
  } catch {
    return {};
  }
}
