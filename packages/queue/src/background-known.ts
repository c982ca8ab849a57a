/**
 * What the fleet has found out of an upstream's background mode, so that not every process has to ask for itself. It
 * expires: an upstream that could not may be able to after its next deploy, and is then asked again.
 */
import type { Redis } from 'ioredis';
import { backgroundKey } from './keys.ts';

/** Kept up by whoever uses it; that it ceased to be true is noticed by the calls. */
const YES_SECONDS = 86_400;
/** How soon an upstream that could not is asked again, by one call. */
const NO_SECONDS = 3600;

/**
 * @returns null while nobody knows, or nobody has asked for an hour
 * @throws a connection error
 */
export async function readBackground({ redis }: { redis: Redis }, baseURL: string): Promise<'yes' | 'no' | null> {
  const known = await redis.get(backgroundKey(baseURL));
  return known === 'yes' || known === 'no' ? known : null;
}

/** Tells the fleet. @throws ReplyError (a full Redis), or a connection error. */
export async function writeBackground(
  { redis }: { redis: Redis },
  baseURL: string,
  known: 'yes' | 'no',
): Promise<void> {
  await redis.set(backgroundKey(baseURL), known, 'EX', known === 'yes' ? YES_SECONDS : NO_SECONDS);
}
