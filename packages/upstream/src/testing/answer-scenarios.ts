/** For tests only: answers that came whole and cannot be used, and calls that cannot be made. */
import type { Socket } from 'node:net';
import type { CallRequest } from '../call.ts';
import { answer, event, head, response, said, stream } from './misbehaving-server.ts';
import { created, delta, nothing, ok, type Scenario } from './scenario.ts';

const extract = (schema: Record<string, unknown>): Partial<CallRequest> => ({
  type: 'extract',
  body: { model: 'm', input: 'x', text: { format: { type: 'json_schema', name: 's', schema, strict: true } } },
});
const invoice = { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] };

export const answerScenarios = {
  notHttp: [
    { server: (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n') },
    { name: 'an unknown encoding', server: answer(200, '{}', { 'content-encoding': 'rot13' }), message: /rot13/ },
    { name: 'no gzip for all it says', server: answer(200, '{}', { 'content-encoding': 'gzip' }), message: /gzip/ },
    { name: 'headers without end', server: (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(64 * 1024)}`) },
  ],
  tooLarge: [
    {
      name: 'a body',
      server: (socket) => {
        socket.write(head(200, { 'content-type': 'application/json', 'content-length': String(65 * 1024 * 1024) }));
        flood(socket, 'x');
      },
    },
  ],
  notJson: [
    {
      server: answer(200, '<!doctype html><title>Sign in</title>', { 'content-type': 'text/html' }),
      message: /HTML page: Sign in/,
    },
    { name: 'empty', server: answer(200, ''), message: /empty/ },
    { name: '204', server: (socket) => socket.write(head(204, {})), message: /empty/ },
    { name: 'cut short', server: answer(200, JSON.stringify(response()).slice(0, -20)) },
    { name: 'nested without end', server: answer(200, '['.repeat(200_000)) },
  ],
  notAResponse: [
    { name: 'null', server: answer(200, 'null', { 'content-type': 'application/json' }) },
    { name: 'an array', server: answer(200, '[1,2]') },
    {
      name: 'a chat completion',
      server: ok({ id: 'x', object: 'chat.completion', choices: [] }),
      message: /'chat\.completion'/,
    },
    {
      name: 'an error in disguise',
      server: ok({ error: { message: 'Model is loading', code: null } }),
      message: /Model is loading/,
    },
    { name: 'no output', server: ok(response({ output: null })), message: /no output/, upstreamId: 'resp_1' },
    {
      name: 'still queued',
      server: ok(response({ status: 'queued', output: [] })),
      message: /still 'queued'/,
      upstreamId: 'resp_1',
    },
    { name: 'still in progress', server: ok(response({ status: 'in_progress' })) },
    {
      name: 'a garbled terminal event',
      server: stream([created, 'event: response.completed\ndata: {"respo\n\n']),
      request: { stream: true },
      upstreamId: 'resp_1',
    },
  ],
  cutStream: [
    { server: stream([created, delta]), request: { stream: true }, upstreamId: 'resp_1' },
    { name: 'with [DONE]', server: stream([created, delta, 'data: [DONE]\n\n']), request: { stream: true } },
    { name: 'without one event', server: stream([]), request: { stream: true } },
  ],
  streamError: [
    {
      server: stream([created, event('error', { code: 'server_error', message: 'Lost it.', param: null })]),
      request: { stream: true },
      message: /Lost it/,
      upstreamId: 'resp_1',
    },
    {
      name: 'in the style of others',
      server: stream(['data: {"error":{"message":"CUDA","type":"InternalServerError","code":500}}\n\n']),
      request: { stream: true },
      message: /CUDA/,
    },
  ],

  responseFailed: [
    {
      server: ok(response({ status: 'failed', error: { code: 'server_error', message: 'Oops.' } })),
      message: /Oops/,
      upstreamId: 'resp_1',
    },
    { name: 'without a reason', server: ok(response({ status: 'failed', error: null, output: [] })) },
    {
      name: 'in a stream',
      server: stream([
        created,
        event('response.failed', {
          response: response({ status: 'failed', error: { code: 'server_error', message: 'Oops.' } }),
        }),
      ]),
      request: { stream: true },
    },
  ],
  responseRateLimited: [
    { server: ok(response({ status: 'failed', error: { code: 'rate_limit_exceeded', message: 'Slow.' } })) },
    {
      name: 'as an event',
      server: stream([event('error', { code: 'rate_limit_exceeded', message: 'Slow.' })]),
      request: { stream: true },
    },
  ],
  responseRejected: [
    {
      server: ok(response({ status: 'failed', error: { code: 'invalid_prompt', message: 'No.' } })),
      code: 'invalid_prompt',
    },
    {
      name: 'as an event',
      server: stream([event('error', { code: 'invalid_prompt', message: 'No.' })]),
      request: { stream: true },
      code: 'invalid_prompt',
    },
  ],
  responseCancelled: [{ server: ok(response({ status: 'cancelled' })) }],
  responseGone: [
    {
      server: answer(404, '{"error":{"message":"Response with id \'resp_1\' not found.","code":null}}'),
      reattachTo: 'resp_1',
      message: /not found/,
      code: 'response_gone',
      upstreamId: 'resp_1',
    },
    { name: '410', server: answer(410, ''), reattachTo: 'resp_1', upstreamId: 'resp_1' },
    { name: 'an id that can be none', server: nothing, reattachTo: '..', message: /is none/ },
  ],
  wrongResponse: [
    {
      server: ok(response({ id: 'resp_2' })),
      reattachTo: 'resp_1',
      message: /asked for response resp_1 and answered with resp_2/,
      code: 'wrong_response',
      upstreamId: 'resp_1',
    },
    {
      name: 'in a stream',
      server: stream([event('response.completed', { response: response({ id: 'resp_2' }) })]),
      reattachTo: 'resp_1',
      upstreamId: 'resp_1',
    },
    {
      name: 'that is still being made',
      server: ok(response({ id: 'resp_2', status: 'in_progress' })),
      reattachTo: 'resp_1',
      upstreamId: 'resp_1',
    },
  ],
  refused: [
    {
      server: ok(response({ output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'I cannot.' }] }] })),
      request: extract(invoice),
      code: 'refusal',
      message: /I cannot/,
    },
  ],
  schemaMismatch: [
    {
      server: ok(response({ output: [said('{"total":"many"}')] })),
      request: extract(invoice),
      message: /total: must be number/,
    },
    {
      name: 'no JSON at all',
      server: ok(response({ output: [said('Sure! Here it is')] })),
      request: extract(invoice),
      message: /no JSON/,
    },
  ],
  invalidSchema: [{ server: nothing, request: extract({ type: 'strng' }), message: /does not compile/ }],
  noModel: [
    { server: answer(200, '{"object":"list","data":[]}'), request: { body: { input: 'x' } }, code: 'model_not_found' },
  ],
  deadlineExceeded: [
    {
      server: nothing,
      request: { signal: AbortSignal.abort({ kind: 'deadline' }) },
      billed: false,
      code: 'deadline_exceeded',
    },
  ],
  internal: [{ server: nothing, request: { body: { model: 'm', input: 1n } }, billed: false }],
} satisfies Record<string, Scenario[]>;

/** Writes without end, as fast as it is read. */
function flood(socket: Socket, letter: string): void {
  const block = letter.repeat(64 * 1024);
  const more = (): void => {
    while (!socket.destroyed && socket.write(block));
    socket.once('drain', more);
  };
  more();
}
