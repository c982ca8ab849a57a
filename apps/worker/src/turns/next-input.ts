/** The request of a job's next call: what was asked, and what has been said and done since. */
import { inputItemsOf, type Miss, type ResponsesBody, retoldItem } from '@millrace/core';
import type { ToolOutput, Turn } from '@millrace/queue';

/** Calls of tools beyond this, where the request says nothing: the model must answer with what it has. */
const MAX_TOOL_CALLS = 128;

type Item = Record<string, unknown>;

/**
 * @param turns the calls that were made before, each of which has been answered in full
 * @param remembers whether the upstream knows items by their ids, where they are stored
 */
export function withTurns(body: ResponsesBody, turns: readonly Turn[], remembers = true): ResponsesBody {
  if (turns.length === 0) return body;
  // A conversation upstream has what was said; it only lacks what was done.
  const kept = body.conversation == null;
  const stored = body.store !== false;
  const itemAgain = (item: Item, { api }: Turn): Item[] =>
    remembers && api !== 'chat' ? asInput(item, stored) : retoldItem(item);
  const told = kept ? withoutOldMisses(turns) : turns.slice(-1);
  const more = told.flatMap((turn) => [
    ...(kept ? turn.output.flatMap((item) => itemAgain(item as Item, turn)) : []),
    ...callsOf(turn.output).map((call) => ({
      type: 'function_call_output',
      call_id: call.call_id,
      output: saidTo(call, turn)?.output ?? '',
    })),
    ...(turn.misses === undefined ? [] : [askAgain(turn.misses)]),
  ]);
  const input = kept ? [...inputItemsOf(body.input), ...more] : more;
  return { ...body, input, ...toolChoice(body, turns) };
}

/** Of answers that missed, newest first, so much is told again (UTF-16 units of JSON); of the newest, all. */
const MAX_MISSES_TOLD_CHARS = 512 * 1024;

/** A job that may be asked very often must not be asked more every time. */
function withoutOldMisses(turns: readonly Turn[]): Turn[] {
  let left = MAX_MISSES_TOLD_CHARS;
  return turns
    .toReversed()
    .filter((turn, index) => {
      if (turn.misses === undefined) return true;
      left -= JSON.stringify(turn).length;
      return index === 0 || left >= 0;
    })
    .reverse();
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
  const calls = callsMade(turns);
  if (calls === 0) return {};
  if (calls >= mostCalls(body)) return { tool_choice: 'none' };
  return body.tool_choice == null || body.tool_choice === 'auto' || body.tool_choice === 'none'
    ? {}
    : { tool_choice: 'auto' };
}

/** How many functions were called in these turns. */
export function callsMade(turns: readonly Turn[]): number {
  return turns.reduce((sum, { output }) => sum + callsOf(output).length, 0);
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
  /** Names it within its turn: its id, unless a call before it has the same (some servers give all calls one). */
  key: string;
}

/** The function calls among the items of an answer. */
export function callsOf(output: readonly unknown[] | undefined): FunctionCall[] {
  const times = new Map<string, number>();
  return (output ?? []).flatMap((item) => {
    const { type, call_id, name, arguments: args } = (item ?? {}) as Item;
    if (type !== 'function_call' || typeof call_id !== 'string' || typeof name !== 'string') return [];
    const nth = (times.get(call_id) ?? 0) + 1;
    times.set(call_id, nth);
    return [{ call_id, name, arguments: args as string, key: nth === 1 ? call_id : `${call_id}#${nth}` }];
  });
}

/** What a tool has said to a call; undefined while it has not. A call may be named like what every object has. */
export function saidTo({ key }: FunctionCall, { tools }: Turn): ToolOutput | undefined {
  return Object.hasOwn(tools, key) ? tools[key] : undefined;
}
