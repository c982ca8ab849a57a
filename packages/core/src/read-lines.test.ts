import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { type Line, readLines } from './read-lines.ts';

const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

const told = (line: Line): string => ('tooLong' in line ? '<too long>' : line.bytes.toString());

async function linesOf(chunks: Iterable<Buffer> | AsyncIterable<Buffer>, encoding?: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of readLines(Readable.from(chunks, { objectMode: false }), MAX_REQUEST_BYTES, encoding)) {
    lines.push(...some.map(told));
  }
  return lines;
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places)].sort((a, b) => a - b);
  return [0, ...at]
    .map((from, index) => bytes.subarray(from, at[index] ?? bytes.length))
    .filter(({ length }) => length);
}

/** The same sequence for the same seed (an LCG with Knuth's MMIX constants, its upper bits): from 0 to below `most`. */
function numbers(seed: number): (most: number) => number {
  let state = BigInt(seed);
  return (most) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number((state >> 33n) % BigInt(most));
  };
}

const TEXTS = ['', ' ', '\t', '\r', '{}', '{"a":"Grüße, 世界 🌍"}', '\0', 'x'.repeat(300), ' \u0001 ', 'a b'];
const ENCODINGS = [undefined, 'identity', 'gzip', ' GZIP ', 'deflate', 'br'] as const;
const COMPRESS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

it('any cutting of any text gives the same lines, blank ones left out', async () => {
  for (let seed = 0; seed < 500; seed++) {
    const next = numbers(seed);
    const lines = Array.from({ length: next(20) }, () => TEXTS[next(TEXTS.length)] as string);
    const whole = Buffer.from(lines.join('\n') + (next(2) === 0 ? '\n' : ''));
    const encoding = ENCODINGS[next(ENCODINGS.length)];
    const sent = COMPRESS[encoding?.trim().toLowerCase() as keyof typeof COMPRESS]?.(whole) ?? whole;
    const places = Array.from({ length: next(40) }, () => next(sent.length + 1));
    const visible = lines.filter((line) => Buffer.from(line).some((byte) => byte > 32));
    expect(await linesOf(cut(sent, places), encoding), `seed ${seed}`).toEqual(visible);
  }
});

it('a line of the greatest length is read, one longer by a byte is told once, and the next is read', async () => {
  for (const pieces of [1, 7, 5000]) {
    const longest = Buffer.alloc(MAX_REQUEST_BYTES, 'x');
    const whole = Buffer.concat([longest, Buffer.from('\n'), longest, Buffer.from('y\nnext\n')]);
    const step = Math.ceil(whole.length / pieces);
    const chunks = Array.from({ length: pieces }, (_, n) => whole.subarray(n * step, (n + 1) * step));
    const lines = await linesOf(chunks.filter(({ length }) => length > 0));
    expect(lines.map((line) => (line.length > 100 ? line.length : line))).toEqual([
      MAX_REQUEST_BYTES,
      '<too long>',
      'next',
    ]);
  }
});

it('a line without an end, many times too long, is told once and costs no memory to speak of', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  let most = 0;
  const before = process.memoryUsage().arrayBuffers;
  async function* endless(): AsyncGenerator<Buffer> {
    for (let n = 0; n < 512; n++) {
      yield Buffer.from(chunk);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    yield Buffer.from('\nlast');
  }
  expect(await linesOf(endless())).toEqual(['<too long>', 'last']);
  expect(most).toBeLessThan(200 * 1024 * 1024);
});

it('a line that trickles in byte by byte costs about its own size', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const bytes = 600_000;
  const before = heap();
  let most = 0;
  async function* trickle(): AsyncGenerator<Buffer> {
    const one = Buffer.from('x');
    for (let n = 1; n <= bytes; n++) {
      yield one.subarray(0, 1);
      // As a socket does, so that what Node itself holds for a chain of promises is let go.
      if (n % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (n % 200_000 === 0) most = Math.max(most, heap() - before);
    }
  }
  const [line] = await linesOf(trickle());
  expect(line?.length).toBe(bytes);
  // Kept as pieces, each byte would take about a hundred.
  expect(most).toBeLessThan(10 * bytes);
}, 60_000);

it('lines are given out as they come, not when the body ends', async () => {
  const release: (() => void)[] = [];
  async function* slow(): AsyncGenerator<Buffer> {
    yield Buffer.from('first\nsec');
    await new Promise<void>((resolve) => release.push(resolve));
    yield Buffer.from('ond\n');
  }
  const reading = readLines(Readable.from(slow(), { objectMode: false }), MAX_REQUEST_BYTES);
  expect((await reading.next()).value?.map(told)).toEqual(['first']);
  release[0]?.();
  expect((await reading.next()).value?.map(told)).toEqual(['second']);
  expect((await reading.next()).done).toBe(true);
});

it('an encoding we do not know, or one that lies, is an error; the lines before it are given out', async () => {
  await expect(linesOf([Buffer.from('x')], 'compress')).rejects.toMatchObject({ code: 'unsupported_encoding' });
  await expect(linesOf([Buffer.from('no gzip at all')], 'gzip')).rejects.toMatchObject({ code: 'Z_DATA_ERROR' });
  const cutShort = gzipSync(Buffer.from('one\ntwo\n')).subarray(0, -6);
  await expect(linesOf([cutShort], 'gzip')).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
});

it('a source that breaks off in the middle is an error, compressed or not', async () => {
  async function* broken(bytes: Buffer): AsyncGenerator<Buffer> {
    yield bytes;
    throw new Error('gone');
  }
  await expect(linesOf(broken(Buffer.from('one\ntw')))).rejects.toThrow('gone');
  await expect(linesOf(broken(gzipSync('one\ntwo').subarray(0, 15)), 'gzip')).rejects.toThrow('gone');
});

it('lines are counted as an editor counts them: blank ones and those that are too long too', async () => {
  const found: string[] = [];
  const text = `one\n\n  \nfour\n${'x'.repeat(50)}\nsix\n${'y'.repeat(50)}\n\nnine`;
  for (const size of [1, 3, 1000]) {
    found.length = 0;
    const pieces = cut(
      Buffer.from(text),
      Array.from({ length: text.length / size }, (_, i) => i * size),
    );
    for await (const lines of readLines(Readable.from(pieces, { objectMode: false }), 20)) {
      found.push(...lines.map((line) => `${line.number} ${told(line)}`));
    }
    expect(found).toEqual(['1 one', '4 four', '5 <too long>', '6 six', '7 <too long>', '9 nine']);
  }
});
