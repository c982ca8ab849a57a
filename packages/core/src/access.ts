/** Who is asking: a secret is looked up among the configured keys in a time that does not depend on it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from './environment.ts';
import { AccessError } from './errors.ts';

/** To whom idempotency keys belong that come without an API key. */
export const ANYBODY = 'anybody';

const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Returns a function that finds the key of a secret. Every key is compared every time, by digests of one length. */
export function keyFinder(keys: readonly ApiKey[]): (secret: string) => ApiKey | null {
  const known = keys.map((key) => ({ key, digest: digest(key.secret) }));
  return (secret) => {
    const given = digest(secret);
    let found: ApiKey | null = null;
    for (const one of known) if (timingSafeEqual(one.digest, given)) found = one.key;
    return found;
  };
}

/** @throws AccessError 403 when the key may only look. */
export function requireOperator(key: ApiKey | null): void {
  if (key === null || key.role === 'operator') return;
  throw new AccessError(403, `The key '${key.name}' is a viewer's: it may read, not change.`, 'insufficient_role');
}
