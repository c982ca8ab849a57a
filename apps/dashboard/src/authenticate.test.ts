import { AccessError, type ApiKey } from '@millrace/core';
import type { Request, Response } from 'express';
import { expect, it } from 'vitest';
import { authenticate, basicPassword } from './authenticate.ts';

const KEYS: readonly ApiKey[] = [
  { name: 'ops', role: 'operator', secret: 'operator-secret' },
  { name: 'eyes', role: 'viewer', secret: 'viewer:secret with ünicode' },
];

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** What the handler passes on: undefined lets the request through. */
function verdict(authorization: string | undefined): unknown {
  let passed: unknown = 'nothing was passed on';
  authenticate(KEYS)({ headers: { authorization } } as Request, {} as Response, (error?: unknown) => {
    passed = error;
  });
  return passed;
}

it('a known secret lets in, under any user name, operators and viewers alike', () => {
  expect(verdict(basic('ops', 'operator-secret'))).toBeUndefined();
  expect(verdict(basic('', 'operator-secret'))).toBeUndefined();
  expect(verdict(basic('somebody', 'viewer:secret with ünicode'))).toBeUndefined();
});

it('no key and a wrong key are refused with 401, each by its own code', () => {
  expect(verdict(undefined)).toMatchObject({ status: 401, code: 'missing_api_key' });
  expect(verdict('Bearer operator-secret')).toMatchObject({ status: 401, code: 'missing_api_key' });
  for (const wrong of ['', 'operator-secre', 'operator-secret ', 'ops']) {
    const error = verdict(basic('ops', wrong));
    expect(error).toBeInstanceOf(AccessError);
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key' });
  }
});

it('the password is what follows the first colon', () => {
  expect(basicPassword(basic('user', 'a:b:c'))).toBe('a:b:c');
  expect(basicPassword(`basic   ${Buffer.from('u:p').toString('base64')}`)).toBe('p');
});

it('what is no Basic authorization has no password', () => {
  for (const text of [undefined, '', 'Basic', 'Basic !!!', `Basic ${Buffer.from('no colon').toString('base64')}`]) {
    expect(basicPassword(text)).toBeNull();
  }
});
