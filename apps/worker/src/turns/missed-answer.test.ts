/** An answer that misses its schema: who is asked again, and that a model that lost its way costs the ledger little. */
import type { Answer, Outcome, QueueConfig } from '@millrace/core';
import type { Begun, Turn } from '@millrace/queue';
import { expect, test } from 'vitest';
import { MAX_MISSED_CHARS, missedAnswer, missedTurn } from './missed-answer.ts';
import { withTurns } from './next-input.ts';

const answerOf = (text: string): Answer => ({
  response: {
    id: 'resp_up',
    object: 'response',
    output: [{ id: 'msg_1', type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }],
  },
  output_text: text,
  usage: null,
});
const misses = [{ path: 'a', problem: 'must be string' }];
const completed: Outcome = { kind: 'completed', answer: answerOf('{"a":1}'), misses };
const settings = { attempts: 3 } as QueueConfig;
const begun = (fields: Partial<Begun> = {}, strict = true): Begun =>
  ({ counted: 0, stream: false, body: { text: { format: { strict } } }, ...fields }) as Begun;
const missed = (text: string) => {
  const found = missedAnswer({ kind: 'completed', answer: answerOf(text), misses }, begun(), settings);
  if (found === null) throw new Error('it is not asked again');
  return found;
};

test('a strict generation is asked again while attempts are left, and nobody reads along', () => {
  expect(missedAnswer(completed, begun(), settings)?.outcome).toMatchObject({
    kind: 'retry',
    reason: 'schema_mismatch',
    countsAsAttempt: true,
    possiblyBilled: false,
  });
  expect(missedAnswer(completed, begun({ counted: 2 }), settings)).toBeNull();
  expect(missedAnswer(completed, begun({ stream: true }), settings)).toBeNull();
  expect(missedAnswer(completed, begun({}, false), settings)).toBeNull();
  expect(missedAnswer({ kind: 'completed', answer: answerOf('{}') }, begun(), settings)).toBeNull();
});

test('what was said is kept whole up to a bound, and its beginning beyond', () => {
  expect(missedTurn([], missed('{"a":1}'), 'responses')).toMatchObject({
    number: 1,
    misses,
    output: [{ id: 'msg_1' }],
  });
  const { output } = missedTurn([], missed(`{"a":"${'\n'.repeat(3_000_000)}`), 'responses');
  expect(JSON.stringify(output).length).toBeLessThan(3 * MAX_MISSED_CHARS);
  expect(output).toMatchObject([{ type: 'message', role: 'assistant', content: [{ type: 'output_text' }] }]);
});

test('of many misses the newest are told again, so that the request does not grow without end', () => {
  const turns: Turn[] = [];
  for (let number = 1; number <= 50; number++) {
    turns.push(missedTurn(turns, missed(`{"a":${number},"b":"${'x'.repeat(100_000)}"}`), 'responses'));
  }
  const { input } = withTurns({ input: 'the document' }, turns) as { input: unknown[] };
  expect(JSON.stringify(input).length).toBeLessThan(700_000);
  expect(input[0]).toEqual({ role: 'user', content: 'the document' });
  expect(JSON.stringify(input.at(-2))).toContain('{\\"a\\":50,');
  expect(input.at(-1)).toMatchObject({
    role: 'user',
    content: [{ text: expect.stringContaining('- a: must be string') }],
  });
});

test('what is not stored upstream is given back without ids, and reasoning only where it is encrypted', () => {
  const output = [
    { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAAA' },
    { id: 'rs_2', type: 'reasoning', summary: [] },
    { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}', status: 'completed' },
  ];
  const turn: Turn = {
    ...{ number: 1, at: 0, upstream_id: 'resp_up', usage: null, output },
    tools: { call_1: { output: 'done', failed: false, ms: 1 } },
  };
  const said = { type: 'function_call_output', call_id: 'call_1', output: 'done' };
  expect(withTurns({ input: [] }, [turn]).input).toEqual([...output, said]);
  expect(withTurns({ input: [], store: false }, [turn]).input).toEqual([
    output[0],
    { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
    said,
  ]);
});
