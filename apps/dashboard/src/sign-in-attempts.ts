/**
 * How often a wrong key may be tried: so often an address, so often in all. What is kept of it is bounded, and gone when
 * the window is over.
 */
import { ShedError } from '@millrace/core';
import { ipKeyGenerator } from 'express-rate-limit';

const WINDOW_MS = 60_000;
const MOST_AN_ADDRESS = 10;
/** From all addresses together: at this pace even a million tries take a week. Bounds what is kept as well. */
const MOST = 100;
/** Whoever has one IPv6 address has the whole network that it is in. */
const IPV6_SUBNET = 64;

export interface SignInAttempts {
  /** @throws ShedError 429 where too many keys were wrong of late */
  check(address: string): void;
  /** Counts a wrong key. */
  refused(address: string): void;
}

export function openSignInAttempts(now: () => number = () => performance.now()): SignInAttempts {
  const wrong = new Map<string, number>();
  let total = 0;
  let since = now();
  const turn = (): void => {
    if (now() - since < WINDOW_MS) return;
    wrong.clear();
    total = 0;
    since = now();
  };
  const group = (address: string): string => ipKeyGenerator(address, IPV6_SUBNET);
  return {
    check: (address) => {
      turn();
      if (total < MOST && (wrong.get(group(address)) ?? 0) < MOST_AN_ADDRESS) return;
      const seconds = Math.max(1, Math.ceil((since + WINDOW_MS - now()) / 1000));
      throw new ShedError(429, `Too many wrong keys. Try again in ${seconds} s.`, 'too_many_attempts', seconds);
    },
    refused: (address) => {
      turn();
      total += 1;
      wrong.set(group(address), (wrong.get(group(address)) ?? 0) + 1);
    },
  };
}
