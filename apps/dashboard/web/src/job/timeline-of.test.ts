import { expect, it } from 'vitest';
import type { AttemptView, TurnView } from '../../../src/views/job.ts';
import { timelineOf } from './timeline-of.ts';

const T = 1_800_000_000_000;
const attempt = (fields: Partial<AttemptView>) => ({ timeline: null, finished_at: null, ...fields }) as AttemptView;
const spans = (attempts: AttemptView[], turns: TurnView[] = [], now = T + 9000) =>
  timelineOf({ created_at: T, attempts, turns }, now).attempts.map(({ spans }) =>
    spans.map(({ kind, from, to, what }) => [kind, from - T, to - T, what]),
  );
const STREAMED = attempt({
  ...{ number: 1, started_at: T + 310, finished_at: T + 2000 },
  timeline: {
    ...{ taken_at: T + 100, waited_ms: 200, waited_for: 'tokens', called_at: T + 320, first_token_at: T + 900 },
  },
});

it('an attempt is told by what it waited for, its call, its first token and its end', () => {
  expect(spans([STREAMED])).toEqual([
    [
      ['line', 0, 100, 'in line'],
      ['limit', 100, 300, 'waited for tokens of its limit'],
      ['called', 320, 900, 'called, to the first token'],
      ['answering', 900, 2000, 'answering'],
    ],
  ]);
});

it('a later attempt waited since the one before it ended; one that runs goes on until now', () => {
  expect(spans([STREAMED, attempt({ number: 2, started_at: T + 5000 })])[1]).toEqual([
    ['line', 2000, 5000, 'waited to be tried again'],
    ['running', 5000, 9000, 'runs'],
  ]);
});

it('tools are shown while they ran', () => {
  const turn = { at: T + 1000, tools_ms: 500 } as TurnView;
  expect(spans([STREAMED], [turn])[0]).toContainEqual(['tools', 1000, 1500, 'tools']);
});
