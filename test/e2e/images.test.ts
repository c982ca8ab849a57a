/** Images: what was sent goes upstream byte for byte and nowhere else; what cannot be taken is refused, and not stored. */
import { randomBytes } from 'node:crypto';
import { closeRedis, connectRedis } from '@millrace/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, submitLines } from '../harness/http.ts';
import { type ScriptedUpstream, scriptedUpstream } from '../harness/scripted-upstream.ts';
import { finished, type Stack, startStack, submitJob } from '../harness/stack.ts';

const noise = (begins: string, bytes = 3000): Buffer => Buffer.concat([Buffer.from(begins, 'hex'), randomBytes(bytes)]);
const PNG = noise('89504e470d0a1a0a');
const JPEG = noise('ffd8ffe000104a464946');
const WEBP = noise('52494646b80b000057454250');
/** Larger than anything else that is kept or written of a job. */
const LARGE = noise('89504e470d0a1a0a', 8 * 1024 * 1024);

const dataUri = (type: string, bytes: Buffer): string => `data:${type};base64,${bytes.toString('base64')}`;
const text = (words: string) => ({ type: 'input_text', text: words });
const image = (url: string, detail = 'auto') => ({ type: 'input_image', image_url: url, detail });
const asked = (...content: unknown[]) => ({ input: [{ role: 'user', content }] });
/** What no log and no entry may hold of an image: something from within its data. */
const piece = (bytes: Buffer): string => bytes.toString('base64').slice(600, 680);

const FUNCTION = {
  type: 'function',
  name: 'read_scale',
  parameters: { type: 'object', properties: { grams: { type: 'number' } } },
};
const DONE = {
  ...{ id: 'resp_upstream1', object: 'response', created_at: 1_800_000_000, status: 'completed', model: 'scripted-1' },
  output: [
    {
      ...{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' },
      content: [{ type: 'output_text', text: '{"total":3}', annotations: [] }],
    },
  ],
  usage: {
    ...{ input_tokens: 3, input_tokens_details: { cached_tokens: 0 }, output_tokens: 2 },
    ...{ output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 5 },
  },
};

let upstream: ScriptedUpstream;
let stack: Stack;

beforeAll(async () => {
  upstream = await scriptedUpstream();
  stack = await startStack({
    config: {
      upstreams: { scripted: { baseURL: upstream.url, apiKey: 'sk-scripted', background: 'off' } },
      queues: { generate: { model: 'scripted-1' }, extract: { model: 'scripted-1' } },
    },
    env: { MILLRACE_LOG_LEVEL: 'trace' },
  });
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await upstream?.close();
});

/** Answers the next call, and tells what it asked. */
async function served(): Promise<Record<string, unknown>> {
  const { body, response } = await upstream.next();
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(DONE));
  return body;
}

async function jobsStored(): Promise<number> {
  const { body } = await call<{ data: { jobs: Record<string, number> }[] }>('GET', `${stack.api.url}/v1/queues`);
  return body.data.reduce((sum, { jobs }) => sum + Object.values(jobs).reduce((a, b) => a + b, 0), 0);
}

interface Refusal {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** The refusal, after which nothing more is stored than before. */
async function refused(path: string, body: unknown): Promise<Refusal['error'] & { status: number }> {
  const before = await jobsStored();
  const reply = await call<Refusal>('POST', `${stack.api.url}${path}`, body);
  expect(Object.keys(reply.body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(reply.body.error.message.length).toBeLessThan(600);
  expect(await jobsStored()).toBe(before);
  return { status: reply.status, ...reply.body.error };
}

describe('images that can be taken', () => {
  it('of several types, between texts and with function tools, go upstream byte for byte', async () => {
    const request = {
      ...asked(
        text('Compare'),
        image(dataUri('image/jpeg', JPEG), 'low'),
        text('with'),
        image(dataUri('image/png', PNG), 'high'),
        image(dataUri('image/webp', WEBP)),
        image('https://example.com/a.png'),
      ),
      tools: [FUNCTION],
    };
    const id = await submitJob(stack, { type: 'generate', request });
    const { input, tools } = await served();
    expect({ input, tools }).toEqual(request);
    expect((await finished(stack, id)).status).toBe('completed');

    const waited = call<{ status: string }>('POST', `${stack.api.url}/v1/responses`, request);
    expect((await served()).input).toEqual(request.input);
    expect((await waited).body.status).toBe('completed');
  });

  it('of a chat request go upstream as the Responses API has them', async () => {
    const url = dataUri('image/png', PNG);
    const content = [
      { type: 'text', text: 'x' },
      { type: 'image_url', image_url: { url, detail: 'low' } },
    ];
    const waited = call('POST', `${stack.api.url}/v1/chat/completions`, { messages: [{ role: 'user', content }] });
    expect((await served()).input).toEqual(asked(text('x'), image(url, 'low')).input);
    expect((await waited).status).toBe(200);
  });

  it('of an extraction follow its text, or are all of its document', async () => {
    const images = [dataUri('image/png', PNG), dataUri('image/jpeg', JPEG)];
    const schema = {
      name: 'invoice',
      schema: {
        ...{ type: 'object', properties: { total: { type: 'number' } }, required: ['total'] },
        additionalProperties: false,
      },
    };
    for (const document of [{ document: 'Scanned:' }, {}]) {
      const id = await submitJob(stack, { type: 'extract', ...document, images, schema });
      const parts = [...('document' in document ? [text('Scanned:')] : []), ...images.map((url) => image(url))];
      expect((await served()).input).toEqual(asked(...parts).input);
      const job = await finished(stack, id);
      expect([job.status, job.result?.output_parsed]).toEqual(['completed', { total: 3 }]);
    }
  });

  it('of megabytes are in the job’s record and in the call, in no log line, no BullMQ entry and no other key', async () => {
    const url = dataUri('image/png', LARGE);
    const id = await submitJob(stack, { type: 'generate', request: asked(image(url)) });
    const redis = connectRedis(stack.redis.url, 'patient', () => undefined);
    try {
      // Both while it waits or runs, and when it has ended.
      const holders = async (): Promise<string[]> => {
        const found: string[] = [];
        for (const key of await redis.keys('*')) {
          const bytes = Number(await redis.memory('USAGE', key, 'SAMPLES', 0));
          if (bytes > LARGE.length) found.push(key);
        }
        return found;
      };
      const [record, ...others] = await holders();
      expect(record).toContain(id);
      expect(others).toEqual([]);
      const entries = (await redis.keys(`*:${id}`)).filter((key) => key !== record);
      const entry = async (key: string) => ((await redis.type(key)) === 'hash' ? await redis.hgetall(key) : {});
      const bull = (await Promise.all(entries.map(entry))).find(({ data }) => data !== undefined);
      const ticket = JSON.parse(bull?.data ?? '{}') as { type?: string; characters?: number };
      expect(ticket).toMatchObject({ type: 'generate', model: 'scripted-1' });
      // Limits of tokens count it as an image, not as a text of eleven million characters.
      expect(ticket.characters).toBeLessThan(10_000);
      expect(JSON.stringify(bull).length).toBeLessThan(2000);

      expect((await served()).input).toEqual(asked(image(url)).input);
      expect((await finished(stack, id)).status).toBe('completed');
      expect((await holders()).filter((key) => key !== record)).toEqual([]);
    } finally {
      await closeRedis(redis);
    }
    // A failure tells no more.
    const failing = await submitJob(stack, { type: 'generate', request: asked(image(url)) });
    const { response } = await upstream.next();
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `cannot read ${url.slice(0, 2000)}`, code: 'invalid_image' } }));
    expect((await finished(stack, failing)).status).toBe('failed');
    await call('POST', `${stack.api.url}/v1/responses`, asked(image(`${url}!`)));

    const log = [...stack.api.lines, ...stack.workers.flatMap(({ lines }) => lines)];
    expect(log.some((line) => line.includes(id))).toBe(true);
    for (const bytes of [LARGE, PNG, JPEG, WEBP]) {
      expect(log.filter((line) => line.includes(piece(bytes)) || line.includes('base64,'))).toEqual([]);
    }
    expect(Math.max(...log.map((line) => line.length))).toBeLessThan(10_000);
  }, 60_000);
});

describe('images that cannot be taken are refused at once, and nothing is stored', () => {
  const script = dataUri('image/png', Buffer.from('#!/bin/sh\necho this is a text\n'));

  it.each([
    ['a text that is called image/png', script, 'invalid_image_format', /image\/png, but its bytes are not that/],
    ['an address of the cloud’s own', 'http://169.254.169.254/x.png', 'invalid_image_url', /169\.254\.169\.254/],
    ['a loopback address', 'http://[::1]/x.png', 'invalid_image_url', /::1/],
    ['localhost', 'http://localhost/x.png', 'invalid_image_url', /localhost/],
    ['a file', 'file:///etc/passwd', 'invalid_image_url', /http/],
    ['half of one', 'data:image/png;base64,iVBORw0KGg', 'invalid_base64_image', /padding/],
  ])('%s', async (_, url, code, message) => {
    const request = asked(text('x'), image(url));
    const told = { status: 400, type: 'invalid_request_error', code, message: expect.stringMatching(message) };
    const path = 'input[0].content[1].image_url';
    expect(await refused('/v1/responses', request)).toEqual({ ...told, param: path });
    expect(await refused('/v1/jobs', { type: 'generate', request })).toEqual({ ...told, param: `request.${path}` });
    expect(await refused('/v1/jobs', { type: 'extract', images: [url], schema: 'any' })).toEqual({
      ...told,
      param: 'images[0]',
    });
    const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }];
    expect(await refused('/v1/chat/completions', { messages })).toEqual({
      ...told,
      param: 'messages[0].content[0].image_url.url',
    });
    const before = await jobsStored();
    const [line] = await submitLines(stack.api.url, [{ type: 'generate', request }]);
    expect(line?.error).toMatchObject({ code, param: `request.${path}` });
    expect(await jobsStored()).toBe(before);
  });

  it('one of 30 MB, with what to do instead', async () => {
    const huge = dataUri('image/png', Buffer.concat([PNG, Buffer.alloc(30_000_000)]));
    for (const [path, body] of [
      ['/v1/responses', asked(image(huge))],
      ['/v1/jobs', { type: 'generate', request: asked(image(huge)) }],
    ] as const) {
      expect(await refused(path, body)).toMatchObject({
        ...{ status: 413, type: 'invalid_request_error', code: 'request_too_large' },
        message: expect.stringMatching(/16 MiB.*images.*by URL or file id/),
      });
    }
  });
});
