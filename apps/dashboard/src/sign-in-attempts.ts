/**
 * How often a wrong key may be tried: so often an address, so often in all. What is kept of it is bounded, and gone when
 * the window is over.
 *
 * Many people may share an address, and a script of one of them have an old key: sent again and again it is one guess,
 * and keeps nobody from signing in. A right key that is sent as a Bearer is never refused, whatever else came from there;
 * what keeps keys from being guessed that way is their length.
 */
import { createHash } from 'node:crypto';
import { ShedError } from '@millrace/core';
import { ipKeyGenerator } from 'express-rate-limit';

const WINDOW_MS = 60_000;
const MOST_AN_ADDRESS = 10;
/** From all addresses together: at this pace even a million tries take a week. Bounds what is kept as well. */
const MOST = 100;
/** Whoever has one IPv6 address has the whole network that it is in. */
const IPV6_SUBNET = 64;

export interface SignInAttempts {
  /** To be asked before a form's key is looked at. @throws ShedError 429 where too many keys were wrong of late */
  check(address: string): void;
  /** Counts a form's wrong key. */
  refused(address: string): void;
  /** Counts a wrong key that was sent as a Bearer, for forms too. @throws ShedError 429 where it was too often of late */
  bearerRefused(address: string, secret: string): void;
}

export function openSignInAttempts(now: () => number = () => performance.now()): SignInAttempts {
  const guesses = openWindow(now);
  const bearers = openWindow(now);
  return {
    check: (address) => guesses.check(address),
    refused: (address) => guesses.count(address, Symbol('each')),
    bearerRefused: (address, secret) => {
      bearers.check(address);
      bearers.count(address, Symbol('each'));
      guesses.count(address, digestOf(secret));
    },
  };
}

interface Window {
  check(address: string): void;
  /** What is the same as before counts no more. */
  count(address: string, what: string | symbol): void;
}

function openWindow(now: () => number): Window {
  const counted = new Map<string, Set<string | symbol>>();
  let total = 0;
  let since = now();
  const turn = (): void => {
    if (now() - since < WINDOW_MS) return;
    counted.clear();
    total = 0;
    since = now();
  };
  const group = (address: string): string => ipKeyGenerator(address, IPV6_SUBNET);
  const isFull = (address: string): boolean =>
    total >= MOST || (counted.get(group(address))?.size ?? 0) >= MOST_AN_ADDRESS;
  return {
    check: (address) => {
      turn();
      if (!isFull(address)) return;
      const seconds = Math.max(1, Math.ceil((since + WINDOW_MS - now()) / 1000));
      throw new ShedError(429, `Too many wrong keys. Try again in ${seconds} s.`, 'too_many_attempts', seconds);
    },
    count: (address, what) => {
      turn();
      const of = counted.get(group(address)) ?? new Set();
      if (isFull(address) || of.has(what)) return;
      counted.set(group(address), of.add(what));
      total += 1;
    },
  };
}

const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64');
