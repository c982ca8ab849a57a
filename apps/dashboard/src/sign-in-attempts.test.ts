import { ShedError } from '@millrace/core';
import { expect, it } from 'vitest';
import { openSignInAttempts, type SignInAttempts } from './sign-in-attempts.ts';

/** How many wrong keys were let through. */
function tries(attempts: SignInAttempts, addresses: readonly string[]): number {
  let passed = 0;
  for (const address of addresses) {
    try {
      attempts.check(address);
    } catch (error) {
      expect(error).toBeInstanceOf(ShedError);
      continue;
    }
    passed += 1;
    attempts.refused(address);
  }
  return passed;
}

it('an address may try ten wrong keys a minute, and a network of IPv6 counts as one address', () => {
  let now = 0;
  const attempts = openSignInAttempts(() => now);
  expect(tries(attempts, Array(50).fill('10.0.0.1'))).toBe(10);
  expect(tries(attempts, ['10.0.0.2'])).toBe(1);
  expect(
    tries(
      attempts,
      Array.from({ length: 50 }, (_, i) => `2001:db8:1:2::${i.toString(16)}`),
    ),
  ).toBe(10);
  now = 59_000;
  expect(() => attempts.check('10.0.0.1')).toThrow(expect.objectContaining({ status: 429, retryAfterSeconds: 1 }));
  now = 60_000;
  expect(tries(attempts, ['10.0.0.1'])).toBe(1);
});

it('all addresses together may try a hundred, and what one tried in vain takes no other’s place', () => {
  const attempts = openSignInAttempts(() => 0);
  expect(tries(attempts, Array(1000).fill('10.0.0.1'))).toBe(10);
  const many = Array.from({ length: 500 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
  expect(tries(attempts, many)).toBe(90);
});

const tooMany = expect.objectContaining({ status: 429, code: 'too_many_attempts', retryAfterSeconds: 60 });

it('wrong Bearers are refused from the eleventh of an address on, and each other one is a try less for a form', () => {
  const attempts = openSignInAttempts(() => 0);
  for (let i = 0; i < 10; i++) attempts.bearerRefused('10.0.0.1', `guess-${i}`);
  expect(() => attempts.bearerRefused('10.0.0.1', 'another')).toThrow(tooMany);
  expect(() => attempts.check('10.0.0.1')).toThrow(tooMany);
  expect(() => attempts.bearerRefused('10.0.0.2', 'another')).not.toThrow();
  expect(() => attempts.check('10.0.0.2')).not.toThrow();
});

it('a script that sends an old key again and again is refused, and keeps nobody at its address from signing in', () => {
  let now = 0;
  const attempts = openSignInAttempts(() => now);
  for (let i = 0; i < 10; i++) attempts.bearerRefused('10.0.0.1', 'old');
  expect(() => attempts.bearerRefused('10.0.0.1', 'old')).toThrow(tooMany);
  expect(tries(attempts, Array(50).fill('10.0.0.1'))).toBe(9);
  now = 60_000;
  expect(() => attempts.bearerRefused('10.0.0.1', 'old')).not.toThrow();
});
