/** Whatever an upstream answers, a call comes to a well-formed Outcome: thousands of mutilated answers say so. */
import type { Outcome } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { AnswerHeaders } from './answer-headers.ts';
import { classifyBody, classifyStream } from './classify-response.ts';
import { classifyStatus } from './classify-status.ts';
import { decide } from './decide.ts';
import { MAX_MESSAGE_CHARS } from './error-words.ts';
import { answer, response, said, stream } from './testing/misbehaving-server.ts';
import { open } from './testing/open.ts';

const SEED = 20261122;
const ROUNDS = 3000;
const ODDITIES: readonly unknown[] = [
  null,
  undefined,
  true,
  0,
  -1,
  1e308,
  '',
  '7',
  'server_error',
  [],
  {},
  [[]],
  [null],
  { error: [] },
  { code: {} },
];

/** A small generator with a seed (mulberry32), so that a failure repeats. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A copy of `value` in which, here and there, something is replaced by an oddity. */
function mutilate(value: unknown, next: () => number): unknown {
  if (next() < 0.08) return ODDITIES[Math.floor(next() * ODDITIES.length)];
  if (Array.isArray(value)) return value.map((item) => mutilate(item, next));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mutilate(item, next)]));
}

const WHOLE = [
  response(),
  response({ status: 'failed', error: { code: 'server_error', message: 'm' } }),
  response({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
  response({ output: [said('{"total":1}'), { type: 'message', content: [{ type: 'refusal', refusal: 'r' }] }] }),
];
const ERRORS = [
  { error: { message: 'm', type: 't', param: 'p', code: 'insufficient_quota' } },
  { detail: [{ loc: ['body', 'x'], msg: 'm', type: 't' }] },
  { object: 'error', message: 'm', code: 400 },
];
const pick = <T>(from: readonly T[], next: () => number): T => from[Math.floor(next() * from.length)] as T;

function expectWellFormed(outcome: Outcome): void {
  if ('error' in outcome) {
    expect(outcome.error.code).toMatch(/^.+$/s);
    expect(outcome.error.message).toBeTypeOf('string');
    expect(outcome.error.message.length).toBeLessThanOrEqual(MAX_MESSAGE_CHARS);
    expect(outcome.error.param ?? '').toBeTypeOf('string');
  }
  if (outcome.kind === 'retry') expect(outcome.afterMs).toBeGreaterThanOrEqual(0);
  if (outcome.kind === 'incomplete') expect(outcome.reason).toBeTypeOf('string');
  expect(() => JSON.stringify(outcome)).not.toThrow();
}

describe(`seed ${SEED}`, () => {
  test('mutilated responses', () => {
    const next = random(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const value = mutilate(pick(WHOLE, next), next);
      const text = JSON.stringify(value) ?? '';
      for (const read of [
        classifyBody(text, 'application/json'),
        classifyStream({ kind: 'response', response: value }),
        classifyStream({ kind: 'error', error: value }),
      ]) {
        if ('row' in read) expectWellFormed(decide(read, true));
        else expect(read.answer.output_text).toBeTypeOf('string');
      }
    }
  });

  test('mutilated errors, under every status', () => {
    const next = random(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const status = 300 + Math.floor(next() * 300);
      const body = JSON.stringify(mutilate(pick(ERRORS, next), next)) ?? 'no json';
      const headers = new AnswerHeaders({
        'retry-after': String(pick(ODDITIES, next)),
        'x-should-retry': pick(['true', 'false', ''], next),
      });
      expectWellFormed(decide(classifyStatus(status, headers, body), true));
    }
  });

  test('mutilated answers through a whole call, plain and streamed', async () => {
    const next = random(SEED);
    const { call, server } = await open(() => undefined);
    const format = { type: 'json_schema', name: 's', schema: { type: 'object', required: ['total'] } };
    for (let round = 0; round < 150; round++) {
      const value = JSON.stringify(mutilate(pick(WHOLE, next), next)) ?? '';
      const streamed = next() < 0.5;
      server.behave(
        streamed ? stream([`event: response.completed\ndata: {"response":${value}}\n\n`]) : answer(200, value),
      );
      const type = next() < 0.5 ? 'extract' : 'generate';
      expectWellFormed(await call({ type, stream: streamed, body: { model: 'm', text: { format } } }));
    }
  });

  test('mutilated answers to re-attachments, as streams and as they stand', async () => {
    const next = random(SEED);
    const whole = [...WHOLE, response({ status: 'queued' }), response({ status: 'cancelled', background: true })];
    const { reattach } = await open((socket, request) => {
      const value = JSON.stringify(mutilate(pick(whole, next), next)) ?? '';
      const streamed = next() < 0.5;
      const type = pick(['created', 'queued', 'completed'], next);
      const behaviour = streamed
        ? stream([`event: response.${type}\ndata: {"response":${value}}\n\n`])
        : answer(200, value);
      behaviour(socket, request);
    });
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => reattach({ timeoutMs: 3000 })));
    for (const outcome of outcomes) {
      expectWellFormed(outcome);
      // Either it can be carried on with, or it is over; what is over without having been read is marked.
      if (outcome.kind === 'retry' && outcome.reattach) expect(outcome.possiblyBilled).toBe(false);
    }
    expect(new Set(outcomes.map(({ kind }) => kind)).size).toBeGreaterThan(2);
  });
});
