import { ConfigError, InvalidRequestError, NotFoundError, ShedError } from '@millrace/core';
import { expect, it } from 'vitest';
import { translate } from './respond.ts';

it('errors made to be answered are answered as they are', () => {
  for (const error of [new InvalidRequestError('x'), new NotFoundError('x'), new ShedError(503, 'x', 'y', 1)]) {
    expect(translate(error)).toBe(error);
  }
});

it.each([
  ['entity.too.large', 413, 'request_too_large'],
  ['encoding.unsupported', 400, 'unsupported_encoding'],
  ['request.size.invalid', 400, 'incomplete_body'],
  ['request.aborted', 400, 'incomplete_body'],
])('the body parser’s %s is a %i %s', (type, status, code) => {
  expect(translate(Object.assign(new Error('its own words'), { type, status: 418 }))).toMatchObject({ status, code });
});

it('a body that does not decompress, and a path that does not decode, are the caller’s mistakes', () => {
  for (const code of ['Z_DATA_ERROR', 'Z_BUF_ERROR']) {
    expect(translate(Object.assign(new Error('x'), { code }))).toMatchObject({ status: 400, code: 'bad_encoding' });
  }
  expect(translate(new URIError('x'))).toMatchObject({ status: 400, code: 'bad_path' });
});

it('everything else is no caller’s mistake, whatever it looks like', () => {
  for (const error of [
    new Error('x'),
    new TypeError('x'),
    new ConfigError('x', ['y']),
    { status: 400, message: 'not an error' },
    Object.assign(new Error('x'), { status: 404 }),
    Object.assign(new Error('x'), { code: 'ECONNRESET' }),
    ...[null, undefined, 'text', 7],
  ]) {
    expect(translate(error)).toBeNull();
  }
});
