/** Webhooks through real processes: OpenAI's SDK accepts them, and no receiver, however it behaves, holds up anything. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { finished, type Stack, startStack, submitJob } from '../harness/stack.ts';

interface Receiver {
  url: string;
  events: { type: string; data: { id: string } }[];
  tries: number;
  /** Answers with this status; 0: never. */
  status: number;
  close(): Promise<void>;
}

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const sdk = new OpenAI({ apiKey: 'any', webhookSecret: SECRET });
const receivers: Receiver[] = [];

async function receiver(port = 0): Promise<Receiver> {
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    it_is.tries += 1;
    if (it_is.status === 0) return;
    if (it_is.status < 300) it_is.events.push((await sdk.webhooks.unwrap(body, request.headers as never)) as never);
    response.writeHead(it_is.status).end();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const it_is: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    events: [],
    tries: 0,
    status: 200,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  receivers.push(it_is);
  return it_is;
}

let stack: Stack;
let all: Receiver;

beforeAll(async () => {
  all = await receiver();
  receivers.length = 0;
  stack = await startStack({
    config: {
      webhooks: {
        ...{ secret: SECRET, allow: ['127.0.0.1'] },
        endpoints: [{ url: all.url, events: ['response.failed', 'response.cancelled'] }],
      },
    },
  });
}, 60_000);
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((one) => one.close()));
});
afterAll(async () => {
  await stack?.stop();
  await all?.close();
});

const submit = (input: string, url: string | null, more: object = {}): Promise<string> =>
  submitJob(stack, { type: 'generate', request: { input, ...more }, ...(url === null ? {} : { webhook_url: url }) });
const heard = (one: Receiver, id: string, withinMs = 20_000) =>
  eventually('it was told', () => one.events.find(({ data }) => data.id === id), withinMs);

interface Deliveries {
  data: {
    id: string;
    status: string;
    attempts: number;
    event: { data: { id: string } };
    last_attempt: { error: string; status: number };
  }[];
}
const deliveries = async (status: string): Promise<Deliveries['data']> =>
  (await call<Deliveries>('GET', `${stack.api.url}/v1/webhooks/deliveries?status=${status}&limit=100`)).body.data;

describe('a webhook', () => {
  it('tells each end of a job, once, in a form that the SDK accepts', async () => {
    const own = await receiver();
    const done = await submit('fine', own.url);
    const cut = await submit('[[fault:incomplete]] long', own.url);
    const failed = await submit('[[fault:400]] no', own.url);
    const cancelled = await submit('[[slow:20000]]', own.url);
    await eventually('it runs', () => stack.simulator.stats().inFlight > 0);
    await call('POST', `${stack.api.url}/v1/jobs/${cancelled}/cancel`);
    expect(await heard(own, done)).toMatchObject({ object: 'event', type: 'response.completed' });
    expect((await heard(own, cut)).type).toBe('response.incomplete');
    expect((await heard(own, failed)).type).toBe('response.failed');
    expect((await heard(own, cancelled)).type).toBe('response.cancelled');
    // The endpoint of the configuration hears what it asked for, and no more.
    await heard(all, failed);
    await heard(all, cancelled);
    expect(all.events.map(({ data }) => data.id).sort()).toEqual([failed, cancelled].sort());
    expect(own.events).toHaveLength(4);
  });

  it('comes for OpenAI’s surface too, by its header', async () => {
    const own = await receiver();
    const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
    const response = await client.responses.create(
      { model: 'sim-1', input: 'hi', background: true },
      { headers: { 'Millrace-Webhook': own.url } },
    );
    await heard(own, response.id);
  });

  it('is tried again until its receiver is well, while others and jobs go on', async () => {
    const hanging = await receiver();
    hanging.status = 0;
    const sick = await receiver();
    sick.status = 500;
    const well = await receiver();
    for (let i = 0; i < 10; i++) await submit('to nobody', hanging.url);
    const late = await submit('later', sick.url);
    await eventually('it was tried', () => sick.tries > 0);
    const soon = await submit('soon', well.url);
    await heard(well, soon);
    const [pending] = (await deliveries('pending')).filter(({ event }) => event.data.id === late);
    expect(pending).toMatchObject({ status: 'pending', last_attempt: { status: 500 } });
    sick.status = 200;
    await heard(sick, late);
    expect((await finished(stack, late)).status).toBe('completed');
  });

  it('is given up when the receiver says that it is gone, and delivered again on demand', async () => {
    const own = await receiver();
    own.status = 410;
    const id = await submit('gone', own.url);
    const dead = await eventually('it is dead', async () =>
      (await deliveries('dead')).find(({ event }) => event.data.id === id),
    );
    expect(own.tries).toBe(1);
    own.status = 200;
    expect((await call('POST', `${stack.api.url}/v1/webhooks/deliveries/${dead.id}/replay`)).status).toBe(202);
    await heard(own, id);
    await eventually('it is delivered', async () =>
      (await deliveries('delivered')).find(({ event }) => event.data.id === id),
    );
    expect((await call('POST', `${stack.api.url}/v1/webhooks/deliveries/${dead.id}/replay`)).status).toBe(202);
    await eventually('it came again', () => own.events.length === 2);
    expect((await call('POST', `${stack.api.url}/v1/webhooks/deliveries/nothing/replay`)).status).toBe(404);
  });

  it('does not follow a redirect, nor reach what is not public', async () => {
    const canary = await receiver();
    const lure = createServer((_, response) => response.writeHead(307, { location: canary.url }).end());
    lure.listen(0, '127.0.0.1');
    await once(lure, 'listening');
    try {
      const id = await submit('x', `http://127.0.0.1:${(lure.address() as AddressInfo).port}/`);
      await eventually('it was tried', async () =>
        (await deliveries('pending')).find(
          ({ event, last_attempt }) => event.data.id === id && last_attempt?.status === 307,
        ),
      );
      expect(canary.tries).toBe(0);
    } finally {
      lure.close();
    }
    const before = (await call<{ data: { jobs: object }[] }>('GET', `${stack.api.url}/v1/queues`)).body;
    for (const url of [
      'http://169.254.169.254/',
      'http://[::ffff:127.0.0.2]/',
      'http://2130706434/',
      'http://a:b@example.com/',
      'ftp://example.com/',
      'x',
    ]) {
      const job = { type: 'generate', request: { input: 'x' }, webhook_url: url };
      const reply = await call<{ error: { param: string } }>('POST', `${stack.api.url}/v1/jobs`, job);
      expect([reply.status, reply.body.error.param], url).toEqual([400, 'webhook_url']);
      const header = await fetch(`${stack.api.url}/v1/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'millrace-webhook': url },
        body: JSON.stringify({ input: 'x', background: true }),
      });
      expect(header.status, url).toBe(400);
    }
    expect((await call('GET', `${stack.api.url}/v1/queues`)).body).toEqual(before);
  });

  it('outlives the worker that ended its job and was telling it when it was killed', async () => {
    const own = await receiver();
    own.status = 0;
    await Promise.all(stack.workers.splice(0).map((worker) => worker.kill()));
    const doomed = await stack.addWorker();
    const id = await submit('x', own.url);
    await eventually('it is being told', () => own.tries === 1);
    await doomed.kill();
    stack.workers.splice(0);
    own.status = 200;
    await stack.addWorker();
    // First the lock of the killed one runs out.
    await heard(own, id, 40_000);
  }, 80_000);
});

it('secrets are shown to operators only', async () => {
  const { body } = await call<{ secret: string; endpoints: { url: string; secret: string }[] }>(
    'GET',
    `${stack.api.url}/v1/webhooks`,
  );
  expect(body.secret).toBe(SECRET);
  expect(body.endpoints).toMatchObject([{ url: all.url, events: ['response.failed', 'response.cancelled'] }]);
});
