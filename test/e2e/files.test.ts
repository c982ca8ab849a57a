/** Files as OpenAI's SDK uploads and reads them, and what is refused. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
let folder: string;

beforeAll(async () => {
  stack = await startStack({ workers: 0, config: { passThrough: false }, files: { maxBytes: 60_000_000 } });
  folder = join(stack.folder, 'files');
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const stored = async (): Promise<string[]> => (await readdir(folder).catch(() => [])).sort();

describe('a file', () => {
  it('is uploaded, listed, read and deleted by the SDK, byte for byte', async () => {
    const bytes = randomBytes(50 * 1024 * 1024);
    const created = await client.files.create({ file: await toFile(bytes, 'lïnes.jsonl'), purpose: 'batch' });
    expect(created).toMatchObject({
      ...{ object: 'file', bytes: bytes.length, filename: 'lïnes.jsonl', purpose: 'batch', status: 'processed' },
    });
    expect(created.id).toMatch(/^file-/);
    expect(created.expires_at).toBeGreaterThan(created.created_at + 29 * 86_400);
    expect(await client.files.retrieve(created.id)).toMatchObject({ id: created.id, bytes: bytes.length });
    const content = Buffer.from(await (await client.files.content(created.id)).arrayBuffer());
    expect(content.equals(bytes)).toBe(true);
    expect(await client.files.delete(created.id)).toMatchObject({ id: created.id, object: 'file', deleted: true });
    await expect(client.files.retrieve(created.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.files.delete(created.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    expect(await stored()).not.toContain(created.id);
  });

  it('is listed page by page, in either order, by its purpose', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push((await client.files.create({ file: await toFile(Buffer.from(`${i}`), `${i}`), purpose: 'batch' })).id);
    }
    const collect = async (order: 'asc' | 'desc'): Promise<string[]> => {
      const found: string[] = [];
      for await (const file of client.files.list({ limit: 2, order, purpose: 'batch' })) found.push(file.id);
      return found;
    };
    expect(await collect('asc')).toEqual(ids);
    expect(await collect('desc')).toEqual([...ids].reverse());
    expect((await client.files.list({ purpose: 'batch_output' })).data).toEqual([]);
    for (const query of ['limit=0', 'limit=x', 'order=up', `after=file-${'0'.repeat(32)}`, 'limit=1&limit=2']) {
      expect((await call('GET', `${stack.api.url}/v1/files?${query}`)).status, query).toBe(400);
    }
  });

  it('goes when its time is over', async () => {
    const file = await toFile(Buffer.from('x'), 'x');
    const created = await client.files.create({
      file,
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3600 },
    });
    expect(created.expires_at).toBe(created.created_at + 3600);
  });
});

const BOUNDARY = 'xxBOUNDARYxx';
const part = (name: string, value: string, filename?: string): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n${value}\r\n`;
const END = `--${BOUNDARY}--\r\n`;
const PURPOSE = part('purpose', 'batch');

async function post(body: string | Buffer, headers: Record<string, string> = {}) {
  const response = await fetch(`${stack.api.url}/v1/files`, {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  return { status: response.status, body: (await response.json()) as { error?: { param: string; code: string } } };
}

describe('an upload that is none', () => {
  const FILE = part('file', 'line', 'f.jsonl');
  it.each([
    ['without a purpose', FILE + END, 400, 'purpose'],
    ['without a file', PURPOSE + END, 400, 'file'],
    ['with a file that is a field', PURPOSE + part('file', 'x') + END, 400, 'file'],
    ['of an unknown purpose', part('purpose', 'fun') + FILE + END, 400, 'purpose'],
    ['of a purpose that lives upstream', part('purpose', 'fine-tune') + FILE + END, 400, 'purpose'],
    ['of an empty file', PURPOSE + part('file', '', 'f') + END, 400, 'file'],
    ['of two files', PURPOSE + FILE + FILE + END, 400, 'file'],
    ['with a file by another name', PURPOSE + part('document', 'x', 'x') + END, 400, 'document'],
    ['with two purposes', PURPOSE + PURPOSE + FILE + END, 400, 'purpose'],
    ['with a long field', part('purpose', 'x'.repeat(5000)) + FILE + END, 400, 'purpose'],
    [
      'with too many fields',
      part('a', 'x').repeat(1) + Array.from({ length: 40 }, (_, i) => part(`f${i}`, 'x')).join('') + FILE + END,
      400,
      undefined,
    ],
    ['with an odd expiry', PURPOSE + part('expires_after[anchor]', 'now') + FILE + END, 400, 'expires_after'],
    [
      'with a short expiry',
      PURPOSE + part('expires_after[anchor]', 'created_at') + part('expires_after[seconds]', '5') + FILE + END,
      400,
      'expires_after',
    ],
    ['cut before its end', PURPOSE + part('file', 'x', 'f'), 400, undefined],
    ['of something else', 'hello', 400, undefined],
  ])('%s is refused, and nothing is stored', async (_, body, status, param) => {
    const before = await stored();
    const reply = await post(body);
    expect(reply.status, JSON.stringify(reply.body)).toBe(status);
    if (param !== undefined) expect(reply.body.error?.param).toBe(param);
    expect(await stored()).toEqual(before);
  });

  it('is refused by its type, encoding and size', async () => {
    const before = await stored();
    expect((await post('{}', { 'content-type': 'application/json' })).status).toBe(400);
    expect((await post('{}', { 'content-type': 'multipart/form-data' })).status).toBe(400);
    expect((await post(PURPOSE + FILE + END, { 'content-encoding': 'gzip' })).status).toBe(400);
    const huge = Buffer.concat([
      Buffer.from(`${PURPOSE}--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n`),
      Buffer.alloc(60_000_001, 'x'),
      Buffer.from(`\r\n${END}`),
    ]);
    const reply = await post(huge);
    expect([reply.status, reply.body.error?.code]).toEqual([413, 'request_too_large']);
    expect(await stored()).toEqual(before);
  });

  it('of which the client goes half-way leaves nothing', async () => {
    const before = await stored();
    const { hostname, port } = new URL(stack.api.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\n\r\n${PURPOSE}--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n${'x'.repeat(3_000_000)}`,
    );
    await eventually('it is being written', async () => (await stored()).some((name) => name.startsWith('.part-')));
    socket.destroy();
    await eventually('nothing is left', async () => JSON.stringify(await stored()) === JSON.stringify(before));
  });

  it('keeps of a hostile name only the name', async () => {
    for (const [sent, kept] of [
      ['../../etc/passwd', 'passwd'],
      ['C:\\\\temp\\\\a.jsonl', 'a.jsonl'],
      [`${'n'.repeat(2000)}.jsonl`, 'n'.repeat(255)],
    ]) {
      const reply = await post(PURPOSE + part('file', 'x', sent) + END);
      expect(reply.body).toMatchObject({ filename: kept });
    }
  });
});
