import { connect } from 'node:net';
import OpenAI from 'openai';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Simulator, startSimulator } from '../index.ts';

const open: Simulator[] = [];

async function start() {
  const simulator = await startSimulator();
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0, logLevel: 'off' }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

interface Observed {
  /** Head and body as they came, up to 1 MB. */
  text: string;
  bytes: number;
  /** The last bytes that came. */
  tail: string;
  /** How the connection ended: the server's FIN, or the error's code. */
  end: string;
}

const KEPT_CHARACTERS = 1024 * 1024;
const TAIL_CHARACTERS = 10_000;

/** Posts `body` over a bare socket and reads until the connection ends, or until `leave` says so. */
function observe(port: number, body: object, leave: (text: string) => boolean = () => false): Promise<Observed> {
  return new Promise((resolve) => {
    const json = JSON.stringify({ model: 'gpt-5', ...body });
    const socket = connect(port, '127.0.0.1');
    const seen: Observed = { text: '', bytes: 0, tail: '', end: '' };
    socket.write(
      `POST /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
    );
    socket.on('data', (chunk) => {
      seen.bytes += chunk.length;
      seen.tail = (seen.tail + chunk.toString()).slice(-TAIL_CHARACTERS);
      if (seen.text.length < KEPT_CHARACTERS) seen.text += chunk.toString();
      if (!leave(seen.text)) return;
      seen.end = 'left';
      socket.destroy();
    });
    socket.on('end', () => {
      seen.end ||= 'fin';
    });
    socket.on('error', (error) => {
      seen.end ||= 'code' in error ? String(error.code) : error.message;
    });
    socket.on('close', () => resolve(seen));
  });
}

function bodyOf({ text }: Observed): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

function contentLength({ text }: Observed): number {
  return Number(/content-length: (\d+)/i.exec(text)?.[1]);
}

describe('after work began, the call is billed and a plain answer', () => {
  async function billed(simulator: Simulator, delivered: boolean) {
    await vi.waitFor(() => expect(simulator.ledger()).toMatchObject([{ outcome: 'completed', delivered }]));
  }

  test('stall: stops half-way and stays open', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:stall]]' }, (text) =>
      text.includes('"object":"response"'),
    );
    expect(seen.end).toBe('left');
    expect(seen.bytes).toBeLessThan(contentLength(seen));
    await billed(simulator, false);
  });

  test('rst: is reset half-way', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:rst]]' });
    expect(seen).toMatchObject({ text: expect.stringContaining('200 OK'), end: 'ECONNRESET' });
    await billed(simulator, false);
  });

  test('fin: ends cleanly short of its length', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:fin]]' });
    expect(seen.end).toBe('fin');
    expect(bodyOf(seen).length).toBeGreaterThan(0);
    expect(Buffer.byteLength(bodyOf(seen))).toBeLessThan(contentLength(seen));
    await billed(simulator, false);
  });

  test.each(['badjson', 'noterminal'])('%s: arrives whole and does not parse', async (kind) => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: `[[fault:${kind}]]` });
    expect(Buffer.byteLength(bodyOf(seen))).toBe(contentLength(seen));
    expect(() => JSON.parse(bodyOf(seen))).toThrow(SyntaxError);
    await billed(simulator, false);
  });

  test('hugeline: is 64 MB long', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:hugeline]]' });
    expect(seen.end).toBe('fin');
    expect(seen.bytes).toBeGreaterThan(64 * 1024 * 1024);
    await billed(simulator, true);
  });

  test('a huge body nobody reads to the end leaves nothing behind', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:hugeline]]' }, (text) => text.length > 0);
    expect(seen.end).toBe('left');
    await vi.waitFor(() => expect(simulator.stats().inFlight).toBe(0));
    await billed(simulator, false);
  });
});

describe('after work began, the call is billed and a stream', () => {
  async function billed(simulator: Simulator, delivered: boolean) {
    await vi.waitFor(() =>
      expect(simulator.ledger()).toMatchObject([{ stream: true, outcome: 'completed', delivered }]),
    );
  }
  const END_OF_CHUNKS = '\r\n0\r\n\r\n';

  test('stall: stops between its deltas and stays open', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:stall]]', stream: true }, (text) =>
      text.includes('.delta'),
    );
    expect(seen).toMatchObject({ end: 'left', text: expect.not.stringContaining('output_text.done') });
    await billed(simulator, false);
  });

  test('rst: is reset between its deltas', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:rst]]', stream: true });
    expect(seen).toMatchObject({ text: expect.stringContaining('output_text.delta'), end: 'ECONNRESET' });
    await billed(simulator, false);
  });

  test('fin: ends without the end of its chunks', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:fin]]', stream: true });
    expect(seen).toMatchObject({ text: expect.stringContaining('output_text.delta'), end: 'fin' });
    expect(seen.text).not.toContain(END_OF_CHUNKS);
    await billed(simulator, false);
  });

  test('badjson: holds an event that does not parse', async () => {
    const { client, simulator } = await start();
    const stream = await client.responses.create({ model: 'gpt-5', input: '[[fault:badjson]]', stream: true });
    const read = async () => {
      for await (const event of stream) expect(event.type).not.toBe('response.completed');
    };
    await expect(read()).rejects.toThrow(SyntaxError);
    await billed(simulator, false);
  });

  test('noterminal: ends cleanly after its last item, without response.completed', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:noterminal]]', stream: true });
    expect(seen.text).toContain('response.output_item.done');
    expect(seen.text).not.toContain('event: response.completed');
    expect(seen.text).toContain(END_OF_CHUNKS);
    await billed(simulator, false);
  });

  test('hugeline: has one event of 64 MB and goes on to its end', async () => {
    const { simulator } = await start();
    const seen = await observe(simulator.port, { input: '[[fault:hugeline]]', stream: true });
    expect(seen.bytes).toBeGreaterThan(64 * 1024 * 1024);
    expect(seen.text).toContain('event: response.created');
    expect(seen.tail).toContain('event: response.completed');
    expect(seen.tail).toContain(END_OF_CHUNKS);
    await billed(simulator, true);
  });
});

test.each([
  ['plain', {}],
  ['streamed', { stream: true }],
  ['in the background', { background: true, stream: true }],
])('mute, %s: the work is done and billed, and not even headers come', async (_how, body) => {
  const { simulator } = await start();
  const leaving = new AbortController();
  let answered = false;
  const call = fetch(`${simulator.url}/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'gpt-5', input: '[[fault:mute]]', ...body }),
    signal: leaving.signal,
  }).then(() => {
    answered = true;
  });
  await vi.waitFor(() => expect(simulator.ledger()).toMatchObject([{ outcome: 'completed', delivered: false }]));
  expect(answered).toBe(false);
  leaving.abort();
  await expect(call).rejects.toThrow();
  await vi.waitFor(() => expect(simulator.stats().inFlight).toBe(0));
});

test('a background call whose creation breaks off runs to its end all the same', async () => {
  const { simulator } = await start();
  const seen = await observe(simulator.port, { input: '[[fault:rst]]', background: true });
  expect(seen.end).toBe('ECONNRESET');
  await vi.waitFor(() =>
    expect(simulator.ledger()).toMatchObject([{ background: true, outcome: 'completed', delivered: false }]),
  );
});

test('a background stream that breaks off can be resumed to its end', async () => {
  const { client, simulator } = await start();
  const seen = await observe(simulator.port, { input: '[[fault:fin]]', background: true, stream: true });
  const events = [...seen.text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ''));
  const rest: unknown[] = [];
  const id: string = events[0].response.id;
  for await (const event of await client.responses.retrieve(id, {
    stream: true,
    starting_after: events.at(-1).sequence_number,
  })) {
    rest.push(event.type);
  }
  expect(rest.at(-1)).toBe('response.completed');
  expect(events.length + rest.length).toBeGreaterThan(20);
  await vi.waitFor(() => expect(simulator.ledger()).toMatchObject([{ id, delivered: true }]));
});
