/** Which refusals are about background or streaming, and which only mention them. */
import { expect, test } from 'vitest';
import { AnswerHeaders } from './answer-headers.ts';
import { BodyText } from './body-text.ts';
import { Exchange } from './exchange.ts';
import { refusedFor } from './refused-background.ts';

function refused(status: number, body: unknown): ReturnType<typeof refusedFor> {
  const exchange = new Exchange(false, 1000);
  exchange.status = status;
  exchange.headers = new AnswerHeaders({ 'content-type': 'application/json' });
  const text = new BodyText(10_000, 'cut');
  text.push(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  exchange.body = text;
  return refusedFor(exchange);
}

const error = (message: string, param: string | null = null, code: string | null = null) => ({
  error: { message, type: 'invalid_request_error', param, code },
});

test.each([
  [400, error("Unsupported parameter: 'background' is not supported here.", 'background'), 'background'],
  [400, error('Not allowed.', 'background'), 'background'],
  [400, error('Background mode is not available for this model.', 'model'), 'background'],
  [403, error('Your organization may not use background mode.'), 'background'],
  [404, error('background: no such feature.'), 'background'],
  [422, { detail: [{ loc: ['body', 'background'], msg: 'Extra inputs are not permitted' }] }, 'background'],
  [400, { error: 'unknown field "background"' }, 'background'],
  [400, 'json: unknown field "background"', 'background'],
  [400, error("'stream' cannot be used with 'background'.", 'background'), 'stream'],
  [400, error('Streaming is not supported in background mode.'), 'stream'],
  [400, error('Not allowed.', 'stream'), 'stream'],
  [400, error("Invalid value: 'x'.", 'tools[0].background'), null],
  [400, error("Invalid value for 'tools[0].background'."), null],
  [400, error("Unknown parameter: 'stream_options'.", 'stream_options'), null],
  [400, error("Invalid 'input[0].image_url': cannot load https://x.example/background.png"), null],
  [400, error('The model `background-1` does not exist.'), null],
  [400, error('backgrounds'), null],
  [400, error('Too long.', 'input'), null],
  [400, '', null],
  [401, error('Your key may not use background mode.'), null],
  [402, error('Pay for background mode.'), null],
  [409, error('A background request runs already.'), null],
  [429, error('Too many background requests.'), null],
  [400, error('No money for background mode.', null, 'insufficient_quota'), null],
  [500, error("'background' crashed."), null],
  [200, error("'background'"), null],
  [301, error("'background'"), null],
])('%i %j: %s', (status, body, expected) => {
  expect(refused(status, body)).toBe(expected);
});

test('nothing is read out of an exchange that has no answer', () => {
  expect(refusedFor(new Exchange(false, 1000))).toBeNull();
});
