/** For tests only: HTTP statuses that are errors. */
import { answer, head, response } from './misbehaving-server.ts';
import { ok, type Scenario } from './scenario.ts';

const openaiError = (code: string | null, message = 'Said by the upstream.', type = 'invalid_request_error'): string =>
  JSON.stringify({ error: { message, type, param: null, code } });

export const statusScenarios = {
  rateLimited: [
    {
      server: answer(429, openaiError('rate_limit_exceeded', 'Slow down.'), { 'retry-after': '7200' }),
      code: 'rate_limit_exceeded',
      message: /Slow down/,
      afterMs: 7_200_000,
    },
    {
      name: 'in milliseconds',
      server: answer(429, openaiError(null), { 'retry-after-ms': '1500', 'retry-after': '9' }),
      afterMs: 1500,
    },
  ],
  outOfQuota: [
    {
      server: answer(429, openaiError('insufficient_quota', 'Pay.', 'insufficient_quota')),
      code: 'insufficient_quota',
    },
    {
      name: 'told by type alone',
      server: answer(429, openaiError(null, 'Pay.', 'insufficient_quota')),
      code: 'insufficient_quota',
    },
    {
      name: 'as a 400',
      server: answer(400, openaiError('billing_hard_limit_reached')),
      code: 'billing_hard_limit_reached',
    },
    {
      name: 'as a 402',
      server: answer(402, '{"error":{"message":"Insufficient credits","code":402}}'),
      message: /credits/,
    },
    {
      name: 'whatever x-should-retry says',
      server: answer(429, openaiError('insufficient_quota'), { 'x-should-retry': 'true' }),
    },
    {
      name: 'in a failed response',
      server: ok(response({ status: 'failed', error: { code: 'insufficient_quota', message: 'Pay.' } })),
    },
  ],
  requestTimeout: [{ server: answer(408, '') }],
  conflict: [{ server: answer(409, openaiError(null)) }],
  serverError: [
    {
      server: answer(500, '{"error":{"message":"Boom","type":"server_error","code":null}}'),
      code: 'server_error',
      message: /Boom/,
    },
    {
      name: '503 with a wait',
      server: answer(503, 'overloaded', { 'retry-after': '3' }),
      message: /overloaded/,
      afterMs: 3000,
    },
    { name: '529', server: answer(529, '{}') },
    {
      name: 'whose body stalls: the status is known',
      server: (socket) => socket.write(`${head(500, { 'content-length': '100' })}half`),
      idleSeconds: 0.05,
      message: /half/,
    },
  ],
  gatewayError: [
    {
      server: answer(502, '<html><head><title>502 Bad Gateway</title></head></html>', { 'content-type': 'text/html' }),
      message: /HTML page: 502 Bad Gateway/,
    },
    { name: '504', server: answer(504, '') },
    { name: '524', server: answer(524, '') },
  ],
  notImplemented: [{ server: answer(501, '') }, { name: '505', server: answer(505, '') }],
  badRequest: [
    {
      server: answer(400, openaiError('context_length_exceeded', 'Too long.')),
      code: 'context_length_exceeded',
      message: /Too long/,
    },
    { name: '413', server: answer(413, 'too big'), message: /too big/ },
    { name: '405', server: answer(405, ''), message: /405/ },
  ],
  unauthorized: [{ server: answer(401, openaiError('invalid_api_key')), code: 'invalid_api_key' }],
  forbidden: [{ server: answer(403, '{"detail":"no"}'), message: /^no$/ }],
  notFound: [
    { server: answer(404, '{"error":"model \'x\' not found"}'), message: /model 'x' not found/, code: 'not_found' },
  ],
  unprocessable: [
    {
      server: answer(422, '{"detail":[{"loc":["body","model"],"msg":"Field required","type":"missing"}]}'),
      message: /body\.model: Field required/,
    },
  ],
  redirected: [
    {
      server: answer(301, '', { location: 'https://elsewhere.example/v1?key=secret' }),
      message: /301\) to https:\/\/elsewhere.example\/v1\./,
    },
  ],
} satisfies Record<string, Scenario[]>;
