/** Queues that name no model get the upstream's first: asked once, shared, and asked again after a failure. */
import { expect, test } from 'vitest';
import { answer, type Behaviour, response } from './testing/misbehaving-server.ts';
import { open } from './testing/open.ts';

const list = (...ids: string[]): Behaviour =>
  answer(200, JSON.stringify({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) }));

const serves = (models: Behaviour, answers: Behaviour = answer(200, JSON.stringify(response()))): Behaviour => {
  return (socket, request) => (request.path === '/v1/models' ? models : answers)(socket, request);
};

test('a call without a model is sent with the first one; all such calls ask once together', async () => {
  const { call, server } = await open(serves(list('llama', 'other')));
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => call({ body: { input: 'x' } })));
  expect(outcomes.map(({ kind }) => kind)).toEqual(Array(10).fill('completed'));
  expect(server.requests.filter(({ path }) => path === '/v1/models')).toHaveLength(1);
  const models = server.requests.flatMap(({ body }) => (body === '' ? [] : [JSON.parse(body).model]));
  expect(models).toEqual(Array(10).fill('llama'));
});

test('a failure is this call’s only: the next one asks again', async () => {
  const { call, server, upstream } = await open(serves(answer(503, 'loading', { 'retry-after': '2' })));
  expect(await call({ body: {} })).toMatchObject({
    kind: 'retry',
    reason: 'upstream_error',
    afterMs: 2000,
    possiblyBilled: false,
  });
  server.behave(serves((socket) => socket.resetAndDestroy()));
  expect(await call({ body: {} })).toMatchObject({ kind: 'retry', reason: 'connection', possiblyBilled: false });
  server.behave(serves(answer(200, '<html>', { 'content-type': 'text/html' })));
  expect(await call({ body: {} })).toMatchObject({ kind: 'retry', reason: 'malformed', possiblyBilled: false });
  server.behave(serves(answer(401, '{}')));
  expect(await call({ body: {} })).toMatchObject({ kind: 'retry', reason: 'unauthorized' });
  await expect(upstream.firstModel()).rejects.toMatchObject({
    name: 'NoModelError',
    outcome: { reason: 'unauthorized' },
  });
  server.behave(serves(list('llama')));
  expect(await upstream.firstModel()).toBe('llama');
  expect(await call({ body: {} })).toMatchObject({ kind: 'completed' });
});

test('a first model that is gone is forgotten', async () => {
  const { call, server, upstream } = await open(serves(list('old'), answer(404, '{"error":"model not found"}')));
  expect(await call({ body: {} })).toMatchObject({ kind: 'failed', reason: 'not_found' });
  server.behave(serves(list('new')));
  expect(await upstream.firstModel()).toBe('new');
});

test('a list of nonsense is no list', async () => {
  for (const body of ['null', '[]', '{"data":null}', '{"data":{}}']) {
    const { call } = await open(serves(answer(200, body)));
    expect(await call({ body: {} })).toMatchObject({ kind: 'retry', reason: 'malformed' });
  }
  const { call } = await open(serves(answer(200, '{"data":[null,7,{"id":3}]}')));
  expect(await call({ body: {} })).toMatchObject({ kind: 'failed', error: { code: 'model_not_found' } });
});
