/** POST /v1/jobs as NDJSON, over HTTP: the app as it is, on a real Redis. */
import { once } from 'node:events';
import { type ClientRequest, createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { openFiles } from '@millrace/files';
import { listJobs, type Store } from '@millrace/queue';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestStore } from '../../../packages/queue/src/testing/store.ts';
import { queueOf } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { createApp } from './app.ts';

let redis: TestRedis;
let store: Store;
let server: Server;
let url: string;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url, {
    kind: 'hasty',
    config: { queues: { generate: {}, extract: {}, tiny: { maxWaiting: 3 } } },
  });
  server = createServer(createApp(store, [], await openFiles(store.config.files, tmpdir()), null)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/jobs`;
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await store?.close();
  await redis?.dispose();
});

type Answer = { id?: string; error?: { code: string; param: string | null; message: string } };
const line = (n: number, fields: Record<string, unknown> = {}): string =>
  JSON.stringify({ type: 'generate', request: { input: `job ${n}` }, ...fields });
const parse = (text: string): Answer[] =>
  text
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => JSON.parse(one));

async function send(
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<{ status: number; answers: Answer[] }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  return { status: response.status, answers: parse(await response.text()) };
}

/** A request whose body the test sends piece by piece. */
function open(headers: Record<string, string> = {}): { request: ClientRequest; response: Promise<IncomingMessage> } {
  const request = httpRequest(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  response.catch(() => undefined);
  return { request, response };
}

const stored = async (): Promise<number> => (await listJobs(store, { limit: 100 })).jobs.length;

it('a line out for every line in, in order, the good and the bad', async () => {
  const { status, answers } = await send(
    [
      line(1),
      '{"cut',
      '',
      line(2, { type: 'nonsense' }),
      `\t${line(3)}\r`,
      line(4, { queue: 'nope' }),
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('latin1'),
      line(5),
    ].join('\n'),
  );
  expect(status).toBe(200);
  expect(answers.map(({ id, error }) => (id === undefined ? error?.code : 'id'))).toEqual([
    ...['id', 'invalid_json', expect.any(String), 'id', 'queue_not_found', 'invalid_json', 'id'],
  ]);
  const jobs = (await listJobs(store, { limit: 10 })).jobs;
  expect(jobs.map(({ id }) => id).reverse()).toEqual(answers.flatMap(({ id }) => id ?? []));
});

it('every name of the format is understood', async () => {
  for (const type of ['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/json-lines']) {
    const { status, answers } = await send(line(1), { 'content-type': `${type}; charset=utf-8` });
    expect([status, answers.length, type]).toEqual([200, 1, type]);
  }
});

it('a queue that fills up in the middle takes what fits, and says of each other line that it was not taken', async () => {
  const { answers } = await send([1, 2, 3, 4, 5].map((n) => line(n, n === 3 ? {} : { queue: 'tiny' })).join('\n'));
  expect(answers.map(({ error }) => error?.code ?? 'id')).toEqual(['id', 'id', 'id', 'id', 'queue_full']);
  expect(await stored()).toBe(4);
});

it('a key sent twice in one body is one job, answered twice', async () => {
  const keyed = line(1, { idempotency_key: 'k' });
  const { answers } = await send([keyed, line(2), keyed].join('\n'));
  expect(answers[2]).toEqual(answers[0]);
  expect(await stored()).toBe(2);
});

it('a body without a line is refused', async () => {
  for (const body of ['', '\n\n', '   \n']) {
    const { status, answers } = await send(body);
    expect([status, answers[0]?.error?.code]).toEqual([400, 'empty_body']);
  }
});

it('answers come while the body still does', async () => {
  const { request, response } = open();
  request.write(`${line(1)}\n`);
  const answer = await response;
  const [first] = (await once(answer, 'data')) as [Buffer];
  expect(parse(first.toString())).toMatchObject([{ id: expect.stringMatching(/^resp_/) }]);
  request.write(`${line(2)}\n`);
  const [second] = (await once(answer, 'data')) as [Buffer];
  expect(parse(second.toString())).toHaveLength(1);
  request.end();
  await once(answer, 'end');
});

describe('a compressed body', () => {
  it('is read like any', async () => {
    const { answers } = await send(gzipSync([line(1), line(2)].join('\n')), { 'content-encoding': 'gzip' });
    expect(answers.map(({ id }) => typeof id)).toEqual(['string', 'string']);
  });

  it('that is none is refused', async () => {
    const { status, answers } = await send(line(1), { 'content-encoding': 'gzip' });
    expect([status, answers[0]?.error?.code]).toEqual([400, 'bad_encoding']);
    expect(await stored()).toBe(0);
  });

  it('that breaks after good lines ends with a line that says so', async () => {
    // One block with whole lines, then rubbish.
    const { request, response } = open({ 'content-encoding': 'gzip' });
    const good = gzipSync(`${line(1)}\n`);
    request.write(good);
    const answer = await response;
    let text = '';
    answer.on('data', (chunk) => {
      text += chunk;
    });
    await eventually('the first line is answered', () => text.includes('\n'));
    request.end(Buffer.alloc(100_000, 'x'));
    await once(answer, 'end');
    const answers = parse(text);
    expect(answers[0]?.id).toBeDefined();
    // What follows a whole gzip member and is none is left out by zlib, or told of: never taken for a job.
    expect(answers.slice(1).every(({ error }) => error?.code === 'bad_encoding')).toBe(true);
    expect(await stored()).toBe(1);
  });

  it('whose end is missing is told of after its good lines', async () => {
    const many = Array.from({ length: 2000 }, (_, n) => line(n)).join('\n');
    const { status, answers } = await send(gzipSync(many).subarray(0, -20), { 'content-encoding': 'gzip' });
    expect(status).toBe(200);
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.at(-1)?.error?.code).toBe('bad_encoding');
    expect(answers.slice(0, -1).every(({ id }) => id !== undefined)).toBe(true);
    expect(await store.redis.zcard(queueOf(store).keys.status('queued'))).toBe(answers.length - 1);
  });
});

describe('a client that goes in the middle', () => {
  it('harms nobody: what it sent whole is stored, and the next request is served', async () => {
    for (let n = 0; n < 5; n++) {
      const { request, response } = open();
      request.on('error', () => undefined);
      request.write(`${line(n)}\n{"type": "gene`);
      await response;
      request.destroy();
    }
    await eventually('no connection is left of them', async () => {
      const count = await new Promise<number>((resolve, reject) =>
        server.getConnections((error, found) => (error ? reject(error) : resolve(found))),
      );
      return count <= 1;
    });
    expect(await stored()).toBe(5);
    expect((await send(line(9))).status).toBe(200);
  });

  it('before it reads what it was answered, is let go of', async () => {
    const { request, response } = open();
    request.on('error', () => undefined);
    const answer = await (async () => {
      request.write(`${line(0)}\n`);
      return response;
    })();
    answer.pause();
    // More answers than all the buffers on the way hold.
    const lines = `${Array.from({ length: 5000 }, () => '{"x"').join('\n')}\n`;
    for (let n = 0; n < 20; n++) request.write(lines);
    await eventually('the server has begun to answer', () => answer.readableLength > 0);
    request.destroy();
    expect((await send(line(9))).status).toBe(200);
  });
});

it('two requests on one connection, the second after the first has long been answered', async () => {
  const first = await send(line(1));
  const second = await send(line(2));
  expect([first.answers.length, second.answers.length]).toEqual([1, 1]);
});

it('while Redis is away every line is answered with that, and taken when it is back', async () => {
  const gone = await freshRedis();
  const hasty = await openTestStore(gone.url, { kind: 'hasty' });
  const own = createServer(createApp(hasty, [], await openFiles(store.config.files, tmpdir()), null)).listen(
    0,
    '127.0.0.1',
  );
  await once(own, 'listening');
  const at = `http://127.0.0.1:${(own.address() as AddressInfo).port}/v1/jobs`;
  const post = async (): Promise<Answer[]> => {
    const body = [line(1), '{"cut', line(2)].join('\n');
    const response = await fetch(at, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });
    return parse(await response.text());
  };
  await gone.stop();
  expect((await post()).map(({ error }) => error?.code)).toEqual([
    ...['redis_unavailable', 'invalid_json', 'redis_unavailable'],
  ]);
  const back = await freshRedis({ port: gone.port });
  await eventually('they are taken', async () => (await post()).filter(({ id }) => id !== undefined).length === 2);
  own.closeAllConnections();
  own.close();
  await hasty.close();
  await back.dispose();
  await gone.dispose();
});
