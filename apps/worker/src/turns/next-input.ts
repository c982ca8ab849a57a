/** The request of a job's next call: what was asked, and what has been said and done since. */
import type { Miss, ResponsesBody } from '@millrace/core';
import type { Turn } from '@millrace/queue';

/** Calls of tools beyond this, where the request says nothing: the model must answer with what it has. */
export const MAX_TOOL_CALLS = 128;

type Item = Record<string, unknown>;

/** @param turns the calls that were made before, each of which has been answered in full */
export function withTurns(body: ResponsesBody, turns: readonly Turn[]): ResponsesBody {
  if (turns.length === 0) return body;
  // A conversation upstream has what was said; it only lacks what was done.
  const kept = body.conversation == null;
  const stored = body.store !== false;
  const told = kept ? turns : turns.slice(-1);
  const more = told.flatMap((turn) => [
    ...(kept ? turn.output.flatMap((item) => asInput(item as Item, stored && turn.api !== 'chat')) : []),
    ...callsOf(turn.output).map(({ call_id }) => ({
      type: 'function_call_output',
      call_id,
      output: turn.tools[call_id]?.output ?? '',
    })),
    ...(turn.misses === undefined ? [] : [askAgain(turn.misses)]),
  ]);
  const input = kept ? [...itemsOf(body.input), ...more] : more;
  return { ...body, input, ...toolChoice(body, turns) };
}

/** A string is a user's message. */
function itemsOf(input: unknown): unknown[] {
  if (Array.isArray(input)) return input;
  return input == null ? [] : [{ role: 'user', content: input }];
}

/** What is not stored upstream can only be given back whole: ids mean nothing there, reasoning only encrypted. */
function asInput(item: Item, stored: boolean): Item[] {
  if (stored) return [item];
  if (item.type === 'reasoning') return typeof item.encrypted_content === 'string' ? [item] : [];
  const { id: _, status: __, ...rest } = item;
  return [rest];
}

/** What had to be called was called; from now on the model may answer, and must where it has called enough. */
function toolChoice(body: ResponsesBody, turns: readonly Turn[]): { tool_choice?: string } {
  const calls = turns.reduce((sum, { output }) => sum + callsOf(output).length, 0);
  if (calls === 0) return {};
  if (calls >= mostCalls(body)) return { tool_choice: 'none' };
  return body.tool_choice == null || body.tool_choice === 'auto' || body.tool_choice === 'none'
    ? {}
    : { tool_choice: 'auto' };
}

export function mostCalls(body: ResponsesBody): number {
  return typeof body.max_tool_calls === 'number' ? body.max_tool_calls : MAX_TOOL_CALLS;
}

function askAgain(misses: readonly Miss[]): Item {
  const list = misses.map(({ path, problem }) => `- ${path === '' ? 'the whole' : path}: ${problem}`).join('\n');
  const text = `Your answer does not fit the schema:\n${list}\nAnswer again with the whole corrected JSON, and nothing else.`;
  return { role: 'user', content: [{ type: 'input_text', text }] };
}

export interface FunctionCall {
  call_id: string;
  name: string;
  arguments: string;
}

/** The function calls among the items of an answer. */
export function callsOf(output: readonly unknown[] | undefined): FunctionCall[] {
  return (output ?? []).filter((item): item is FunctionCall & { type: 'function_call' } => {
    const { type, call_id, name } = (item ?? {}) as Item;
    return type === 'function_call' && typeof call_id === 'string' && typeof name === 'string';
  });
}
