/** The answer of a job that took several calls: all that was said and done, and what all of it took. */
import { type Answer, type Outcome, totalUsage, type Usage } from '@millrace/core';
import type { Turn } from '@millrace/queue';
import { callsOf, saidTo } from './next-input.ts';

type Ended = Extract<Outcome, { kind: 'completed' | 'incomplete' }>;

/** The outcome as the client is to see it. */
export function wholeOutcome<T extends Ended>(outcome: T, turns: readonly Turn[]): T {
  if (turns.length === 0) return outcome;
  const usage = totalUsage([...turns.map((turn) => turn.usage), outcome.usage ?? null]);
  return { ...outcome, answer: wholeAnswer(outcome.answer, turns, usage), usage };
}

function wholeAnswer(answer: Answer, turns: readonly Turn[], usage: Usage | null): Answer {
  const output = [...turns.flatMap(itemsOfTurn), ...(answer.response.output ?? [])];
  return { ...answer, usage, response: { ...answer.response, output, usage } };
}

/** The items that a turn adds to the whole; an answer that missed its schema adds none. */
export function itemsOfTurn(turn: Turn): unknown[] {
  if (turn.misses !== undefined) return [];
  const outputs = callsOf(turn.output).flatMap((call) => {
    const told = saidTo(call, turn);
    if (told === undefined) return [];
    const { call_id, key } = call;
    const id = `fco_${key.replace(/^call_/, '')}`;
    return [
      {
        id,
        type: 'function_call_output',
        call_id,
        output: told.output,
        status: told.failed ? 'incomplete' : 'completed',
      },
    ];
  });
  return [...turn.output, ...outputs];
}
