import { expect, it } from 'vitest';
import { resolveConfig } from './config.ts';
import { readEnvironment } from './environment.ts';
import { jobOfRequest, jobOfResponse } from './new-job.ts';

const configOf = (history?: object) =>
  resolveConfig(
    {
      upstreams: { local: { baseURL: 'http://localhost:8000/v1', ...(history === undefined ? {} : { history }) } },
      queues: { generate: {} },
    },
    readEnvironment({}),
  );
const respond = (body: object, history?: object) => jobOfResponse(configOf(history), body, 'anyone', () => undefined);
const reference = { type: 'item_reference', id: 'msg_1' };

it('a conversation is refused by an upstream that remembers none, with the remedy; any other gets it', () => {
  const body = { input: 'hi', conversation: 'conv_1' };
  expect(() => respond(body, {})).toThrow(
    expect.objectContaining({
      ...{ status: 400, param: 'conversation', code: 'unsupported_parameter' },
      message: expect.stringContaining("'previous_response_id'"),
    }),
  );
  const job = { type: 'generate', request: body };
  expect(() => jobOfRequest(configOf({}), job, 'anyone')).toThrow(
    expect.objectContaining({ param: 'request.conversation' }),
  );
  expect(respond(body).body).toBe(body);
});

it.each([reference, { id: 'msg_1' }])('an item by its id is refused likewise: %j', (item) => {
  const body = { input: [{ role: 'user', content: 'And this?' }, item] };
  expect(() => respond(body, {})).toThrow(expect.objectContaining({ status: 400, param: 'input[1]' }));
  expect(respond(body).body).toBe(body);
});

it('items that have an id and are whole pass', () => {
  const body = { input: [{ id: 'msg_1', type: 'message', role: 'user', content: 'hi' }] };
  expect(respond(body, {}).body).toBe(body);
});
