/** What one call promises when the upstream behaves: what is sent, what comes back, and that nothing stays open. */
import { getEventListeners } from 'node:events';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { openUpstream } from './open-upstream.ts';
import { answer, event, head, response, said, stream, until } from './testing/misbehaving-server.ts';
import { open, settings } from './testing/open.ts';
import { created, delta, nothing, ok } from './testing/scenario.ts';

const completed = event('response.completed', { sequence_number: 2, response: response() });
const schema = { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] };
const format = { type: 'json_schema', name: 's', schema, strict: true };

describe('a completed answer', () => {
  test('comes with its text, its usage and its id', async () => {
    const { call } = await open(ok(response()));
    expect(await call()).toEqual({
      kind: 'completed',
      answer: {
        response: response(),
        output_text: 'Hello',
        usage: {
          input_tokens: 10,
          input_tokens_details: { cached_tokens: 4 },
          output_tokens: 5,
          output_tokens_details: { reasoning_tokens: 1 },
          total_tokens: 15,
        },
      },
      upstreamId: 'resp_1',
      usage: expect.objectContaining({ total_tokens: 15 }),
    });
  });

  test('is the same when it is streamed', async () => {
    const plain = await open(ok(response()));
    const streamed = await open(stream([created, delta, completed]));
    expect(await streamed.call({ stream: true })).toEqual(await plain.call());
  });

  test('is the same when it comes in pieces of one byte', async () => {
    const text = JSON.stringify(response({ output: [said('Grüße, 世界 🌍')] }));
    const { call } = await open(async (socket) => {
      socket.write(
        head(200, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
      );
      for (const byte of Buffer.from(text)) await new Promise((done) => socket.write(Buffer.of(byte), done));
    });
    expect(await call()).toMatchObject({ kind: 'completed', answer: { output_text: 'Grüße, 世界 🌍' } });
  });

  test('is read by what came, not by what was asked for', async () => {
    const unasked = await open(stream([created, completed]));
    expect(await unasked.call()).toMatchObject({ kind: 'completed' });
    const ignored = await open(ok(response()));
    expect(await ignored.call({ stream: true })).toMatchObject({ kind: 'completed' });
  });

  test('is read through a compression nobody asked for', async () => {
    const plain = await open(answer(200, gzipSync(JSON.stringify(response())), { 'content-encoding': 'gzip' }));
    expect(await plain.call()).toMatchObject({ kind: 'completed' });
    const streamed = await open((socket) => {
      socket.write(head(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip', connection: 'close' }));
      socket.end(gzipSync(created + delta + completed));
    });
    expect(await streamed.call({ stream: true })).toMatchObject({ kind: 'completed' });
  });

  test('is kept although the stream never ends or breaks after its terminal event', async () => {
    const endless = await open(stream([created, completed], false));
    expect(await endless.call({ stream: true })).toMatchObject({ kind: 'completed' });
    await until('the connection is dropped', () => endless.server.open() === 0);
    const broken = await open((socket, request) => {
      stream([created, completed], false)(socket, request);
      setImmediate(() => socket.resetAndDestroy());
    });
    expect(await broken.call({ stream: true })).toMatchObject({ kind: 'completed' });
  });

  test('may be a refusal, for a generation', async () => {
    const { call } = await open(
      ok(response({ output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }] })),
    );
    expect(await call({ body: { model: 'm', text: { format } } })).toMatchObject({
      kind: 'completed',
      answer: { output_text: '' },
    });
  });
});

describe('an incomplete answer', () => {
  const cut = response({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: [said('{"tot')],
  });

  test('says its reason, and has no parsed value', async () => {
    const { call } = await open(ok(cut));
    for (const type of ['generate', 'extract'] as const) {
      const outcome = await call({ type, body: { model: 'm', text: { format } } });
      expect(outcome).toMatchObject({
        kind: 'incomplete',
        reason: 'max_output_tokens',
        answer: { output_text: '{"tot' },
        usage: { total_tokens: 15 },
      });
      expect(outcome.kind === 'incomplete' && 'output_parsed' in outcome.answer).toBe(false);
    }
  });

  test('is one in a stream, too', async () => {
    const { call } = await open(stream([created, event('response.incomplete', { response: cut })]));
    expect(await call({ stream: true })).toMatchObject({ kind: 'incomplete' });
  });
});

describe('a structured answer', () => {
  const said42 = ok(response({ output: [said('{"total":42}')] }));
  const saidMany = ok(response({ output: [said('{"total":"many"}')] }));

  test('that fits is parsed, for both types', async () => {
    const { call } = await open(said42);
    for (const type of ['generate', 'extract'] as const) {
      const outcome = await call({ type, body: { model: 'm', text: { format } } });
      expect(outcome).toMatchObject({ kind: 'completed', answer: { output_parsed: { total: 42 } } });
    }
  });

  test('that misses leaves a generation completed without a parsed value', async () => {
    const { call } = await open(saidMany);
    const outcome = await call({ body: { model: 'm', text: { format } } });
    expect(outcome.kind === 'completed' && 'output_parsed' in outcome.answer).toBe(false);
  });

  test('that misses has an extraction tried again, with place and problem, and its usage', async () => {
    const { call } = await open(saidMany);
    expect(await call({ type: 'extract', body: { model: 'm', text: { format } } })).toMatchObject({
      kind: 'retry',
      error: { code: 'schema_mismatch', details: [{ path: 'total', problem: 'must be number' }] },
      usage: { total_tokens: 15 },
      possiblyBilled: false,
    });
  });

  test.each([
    ['a refusal', [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }]],
    ['a call that is its client’s to make', [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }]],
    ['a wish for approval', [{ type: 'mcp_approval_request', id: 'a' }]],
  ])('%s is no miss of a generation', async (_, output) => {
    const { call } = await open(ok(response({ output })));
    const outcome = await call({ type: 'generate', body: { model: 'm', text: { format } } });
    expect(outcome).toMatchObject({ kind: 'completed', answer: { output_text: '' } });
    expect(outcome).not.toHaveProperty('misses');
  });

  test('is checked and transformed by zod where zod is given', async () => {
    const { call } = await open(said42);
    const zod = z.object({ total: z.number().transform((total) => total * 2) });
    expect(await call({ type: 'extract', zod })).toMatchObject({ answer: { output_parsed: { total: 84 } } });
    const odd = z.object({ total: z.number().refine((total) => total % 2 === 1, 'is even') });
    expect(await call({ type: 'extract', zod: odd })).toMatchObject({
      error: { details: [{ path: 'total', problem: 'is even' }] },
    });
  });
});

describe('what is sent', () => {
  test('is the request as it is, with only the headers that are needed', async () => {
    const { call, server } = await open(ok(response()), { apiKey: 'sk-test' });
    await call({ body: { model: 'm', input: 'Grüße', background: true, stream: true, stream_options: {}, top_k: 3 } });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/v1/responses' });
    expect(JSON.parse(request?.body ?? '')).toEqual({ model: 'm', input: 'Grüße', top_k: 3 });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer sk-test',
      'content-type': 'application/json',
      'accept-encoding': 'identity',
    });
    expect(Object.keys(request?.headers ?? {}).filter((name) => name.startsWith('x-stainless'))).toEqual([]);
  });

  test('has no Authorization where no key is configured', async () => {
    const { call, upstream, server } = await open(ok(response()));
    await call();
    await upstream.firstModel().catch(() => undefined);
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined, undefined]);
  });

  test('asks for a stream where one is wanted', async () => {
    const { call, server } = await open(stream([created, completed]));
    await call({ stream: true, body: { model: 'm', stream_options: { include_obfuscation: false } } });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      model: 'm',
      stream: true,
      stream_options: { include_obfuscation: false },
    });
  });

  test('goes to the same path with and without a slash after the base URL', async () => {
    const { server } = await open(ok(response()));
    const slashed = await open(ok(response()), { baseURL: `${server.baseURL}/` });
    await slashed.call();
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/responses']);
  });

  test('a key that no header can carry is refused at once, without being shown', async () => {
    await expect(open(nothing, { apiKey: 'sk-secret\n' })).rejects.toThrow(/^(?!.*sk-secret).*API key/);
  });
});

test('response headers are told once they are in, of errors too', async () => {
  const told: unknown[] = [];
  const { call, server } = await open(
    answer(200, JSON.stringify(response()), { 'X-RateLimit-Remaining-Tokens': '17' }),
  );
  const onHeaders = (status: number, header: (name: string) => string | null): void => {
    told.push([status, header('x-ratelimit-remaining-tokens'), header('x-request-id')]);
  };
  await call({ onHeaders });
  server.behave(answer(429, '{}', { 'x-ratelimit-remaining-tokens': '0', 'x-request-id': 'req_1' }));
  await call({ onHeaders });
  expect(told).toEqual([
    [200, '17', null],
    [429, '0', 'req_1'],
  ]);
});

test('connections are used again, and none is left after close', async () => {
  const { call, server, upstream } = await open(ok(response()));
  for (let round = 0; round < 20; round++) {
    await Promise.all([call(), call(), call()]);
    await until('all connections are free', () => upstream.stats().running === 0);
  }
  // Not exactly 3: undici takes a turn of the event loop before it gives a connection out again.
  expect(server.open()).toBeLessThanOrEqual(6);
  await upstream.close();
  await until('every socket is closed', () => server.open() === 0);
});

test('no timer and no listener outlives its call, however it ended', async () => {
  const behaviours = [
    ok(response()),
    answer(500, ''),
    stream([created, delta]),
    stream([created, completed]),
    answer(200, 'x'),
  ];
  const { call, server } = await open(nothing);
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  for (const behaviour of behaviours) {
    server.behave(behaviour);
    const controller = new AbortController();
    await call({ signal: controller.signal, timeoutMs: 60_000 });
    await call({ signal: controller.signal, timeoutMs: 60_000, stream: true });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  }
  expect(timers()).toBeLessThanOrEqual(before);
});

test('a time limit longer than a timer can be does not end the call at once', async () => {
  const { call } = await open((socket, request) => {
    // Long enough for a timer that overflowed to have fired: those fire after 1 ms.
    setTimeout(() => ok(response())(socket, request), 50);
  });
  expect(await call({ timeoutMs: 366 * 86_400_000 })).toMatchObject({ kind: 'completed' });
});

test('a fault of ours is told whole to the log, and only its kind to the job', async () => {
  const faults: unknown[] = [];
  const server = await open(nothing);
  const upstream = openUpstream(settings(server.server.baseURL), { onFault: (error) => faults.push(error) });
  onTestFinished(() => upstream.close());
  const request = { body: { model: 'secret', input: 1n }, type: 'generate', timeoutMs: 1000 } as const;
  expect(await upstream.call({ ...request, signal: new AbortController().signal })).toMatchObject({
    kind: 'retry',
    reason: 'internal',
    error: { message: 'A fault in Millrace: TypeError.' },
    possiblyBilled: false,
  });
  expect(faults).toEqual([expect.objectContaining({ message: expect.stringContaining('BigInt') })]);
});

test('the silence of a model at work is no idleness: a plain answer’s headers come when it is done', async () => {
  const { call } = await open(
    (socket, request) => {
      // Longer than idleSeconds by more than the second that undici's timers may be late.
      setTimeout(() => ok(response())(socket, request), 2000);
    },
    { idleSeconds: 0.05 },
  );
  expect(await call()).toMatchObject({ kind: 'completed' });
});
