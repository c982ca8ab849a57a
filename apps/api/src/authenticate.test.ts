import { AccessError, type ApiKey } from '@millrace/core';
import type { NextFunction, Request, Response } from 'express';
import { expect, it } from 'vitest';
import { authenticate, callerName } from './authenticate.ts';

const KEYS: ApiKey[] = [
  { name: 'ops', role: 'operator', secret: 'operator-secret' },
  { name: 'eye', role: 'viewer', secret: 'viewer-secret' },
];

function ask(keys: readonly ApiKey[], authorization?: string, method = 'GET'): { error: unknown; caller: string } {
  const request = { method, headers: authorization === undefined ? {} : { authorization } } as Request;
  let error: unknown;
  const next: NextFunction = (given?: unknown) => {
    error = given;
  };
  try {
    void authenticate(keys)(request, {} as Response, next);
  } catch (thrown) {
    error = thrown;
  }
  return { error, caller: callerName(request) };
}

it('a known key is its name, however the scheme is written', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    expect(ask(KEYS, `${scheme} operator-secret`)).toEqual({ error: undefined, caller: 'ops' });
  }
  expect(ask(KEYS, 'Bearer  viewer-secret  ')).toEqual({ error: undefined, caller: 'eye' });
});

it('no key, another scheme and an unknown key are 401, and say which without repeating it', () => {
  for (const [authorization, code] of [
    [undefined, 'missing_api_key'],
    ['', 'missing_api_key'],
    ['Bearer', 'missing_api_key'],
    ['Basic b3BzOng=', 'missing_api_key'],
    ['Bearer two words', 'missing_api_key'],
    ['Bearer operator-secre', 'invalid_api_key'],
    ['Bearer operator-secret1', 'invalid_api_key'],
    [`Bearer ${'x'.repeat(100_000)}`, 'invalid_api_key'],
    ['Bearer ops', 'invalid_api_key'],
  ] as const) {
    const { error, caller } = ask(KEYS, authorization);
    expect(error).toBeInstanceOf(AccessError);
    expect(error).toMatchObject({ status: 401, code });
    expect((error as AccessError).message).not.toContain('secre');
    expect(caller).toBe('anybody');
  }
});

it('a viewer may read and nothing else', () => {
  for (const method of ['GET', 'HEAD']) expect(ask(KEYS, 'Bearer viewer-secret', method).error).toBeUndefined();
  for (const method of ['POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'get']) {
    expect(ask(KEYS, 'Bearer viewer-secret', method).error).toMatchObject({ status: 403, code: 'insufficient_role' });
    expect(ask(KEYS, 'Bearer operator-secret', method).error).toBeUndefined();
  }
});

it('with no keys configured anybody may, with any key or none', () => {
  for (const authorization of [undefined, 'Bearer whatever', 'Basic x']) {
    expect(ask([], authorization, 'POST')).toEqual({ error: undefined, caller: 'anybody' });
  }
});
