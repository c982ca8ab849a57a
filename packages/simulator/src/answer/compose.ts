/** What the simulator answers: decided by the request's content alone, then bent by the fault that hits the call. */

import type { ChosenFault } from '../calls/faults.ts';
import { drawsFor } from '../calls/random.ts';
import { isObject, type JsonObject } from '../json.ts';
import { CHARACTERS_PER_TOKEN, countTokens } from '../request/input-text.ts';
import { readPromptWords, withoutPromptWords } from '../request/prompt-words.ts';
import type { CreateRequest } from '../request/validate.ts';
import { type Document, readDocument } from './document.ts';
import { fillSchema } from './fill.ts';
import { findName, findPurpose } from './find-name-and-purpose.ts';
import { writeProse } from './prose.ts';

export type AnswerItem =
  | { kind: 'text'; text: string }
  | { kind: 'refusal'; text: string }
  | { kind: 'function_call'; name: string; text: string };

export interface Answer {
  items: AnswerItem[];
  outputTokens: number;
  /** True where the last item was cut off at `max_output_tokens`. */
  incomplete: boolean;
  /** Set where the response fails instead of being answered. */
  error?: { code: string; message: string };
}

const REFUSAL = "I'm sorry, but I can't help with that request.";
const MAX_JSON_OBJECT_VALUES = 20;
const FAILURES: Readonly<Record<string, string>> = {
  server_error: 'The server had an error while processing your request. Sorry about that!',
  rate_limit_exceeded: 'Rate limit reached while generating the response.',
  invalid_prompt: 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.',
};

interface FunctionTool {
  name: string;
  parameters: JsonObject;
}

function functionTools(body: JsonObject): FunctionTool[] {
  if (!Array.isArray(body.tools)) return [];
  return body.tools.flatMap((tool: unknown) => {
    if (!isObject(tool) || tool.type !== 'function' || typeof tool.name !== 'string') return [];
    return [{ name: tool.name, parameters: isObject(tool.parameters) ? tool.parameters : {} }];
  });
}

/** The prompt's `[[call:name]]` is answered once: with the function's output in the input, text follows. */
function hasFunctionOutput(body: JsonObject): boolean {
  return Array.isArray(body.input) && body.input.some((item) => isObject(item) && item.type === 'function_call_output');
}

function calledTools({ body, text }: CreateRequest): FunctionTool[] {
  const tools = functionTools(body);
  const choice = body.tool_choice;
  if (tools.length === 0 || choice === 'none') return [];
  const asked = hasFunctionOutput(body) ? [] : readPromptWords(text, Number.POSITIVE_INFINITY).calls;
  const named = asked.flatMap((name) => tools.filter((tool) => tool.name === name));
  if (named.length > 0) return body.parallel_tool_calls === false ? named.slice(0, 1) : named;
  if (isObject(choice)) return tools.filter(({ name }) => name === choice.name).slice(0, 1);
  return choice === 'required' ? tools.slice(0, 1) : [];
}

function jsonObject(document: Document): JsonObject {
  const name = findName(document);
  const summary = findPurpose(document);
  const values = [...document.values].slice(0, MAX_JSON_OBJECT_VALUES);
  return { ...(name && { name }), ...(summary && { summary }), ...Object.fromEntries(values) };
}

function writeText(request: CreateRequest, seed: number): string {
  const format = isObject(request.body.text) ? request.body.text.format : undefined;
  const read = () => readDocument(withoutPromptWords(request.document || request.text));
  if (isObject(format) && format.type === 'json_schema' && isObject(format.schema)) {
    return JSON.stringify(fillSchema(format.schema, read()));
  }
  if (isObject(format) && format.type === 'json_object') return JSON.stringify(jsonObject(read()));
  return writeProse(request.document || request.text, drawsFor(seed, request.text, 0).next);
}

/** No half of a character beyond 16 bits is left at the cut. */
function cut(text: string, characters: number): string {
  return text.slice(0, characters).toWellFormed();
}

/** Cuts the items where the tokens run out; what would follow is never made. */
function cutAtTokens(items: AnswerItem[], maxTokens: number): Answer {
  const kept: AnswerItem[] = [];
  let left = maxTokens;
  for (const item of items) {
    const tokens = countTokens(item.text);
    if (tokens > left) {
      kept.push({ ...item, text: cut(item.text, left * CHARACTERS_PER_TOKEN) });
      return { items: kept, outputTokens: maxTokens, incomplete: true };
    }
    kept.push(item);
    left -= tokens;
  }
  return { items: kept, outputTokens: maxTokens - left, incomplete: false };
}

/** The answer to `request`, cut at its `max_output_tokens`. */
export function composeAnswer(request: CreateRequest, seed: number): Answer {
  const document = readDocument(withoutPromptWords(request.document));
  const calls = calledTools(request).map(
    ({ name, parameters }): AnswerItem => ({
      kind: 'function_call',
      name,
      text: JSON.stringify(fillSchema({ type: 'object', ...parameters }, document)),
    }),
  );
  const items: AnswerItem[] = calls.length > 0 ? calls : [{ kind: 'text', text: writeText(request, seed) }];
  return cutAtTokens(items, request.maxOutputTokens ?? Number.MAX_SAFE_INTEGER);
}

/** JSON that parses but misses any strict schema: one key too few, one too many. */
function missSchema(text: string): string {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) return JSON.stringify({ unexpected: true });
  const [, ...rest] = Object.entries(value);
  return JSON.stringify({ ...Object.fromEntries(rest), unexpected: true });
}

function itemsTokens(items: AnswerItem[]): number {
  return items.reduce((sum, item) => sum + countTokens(item.text), 0);
}

function withItems(items: AnswerItem[], incomplete = false): Answer {
  return { items, outputTokens: itemsTokens(items), incomplete };
}

/** The answer as the fault leaves it; faults of the connection leave it alone. */
export function bendAnswer(answer: Answer, fault: ChosenFault | undefined): Answer {
  switch (fault?.kind) {
    case 'failed': {
      const code = fault.code ?? 'server_error';
      const message = FAILURES[code] ?? `The response failed: ${code}.`;
      return { items: [], outputTokens: 0, incomplete: false, error: { code, message } };
    }
    case 'refusal':
      return withItems([{ kind: 'refusal', text: REFUSAL }]);
    case 'incomplete': {
      const [first] = answer.items;
      return first ? withItems([{ ...first, text: cut(first.text, Math.ceil(first.text.length / 2)) }], true) : answer;
    }
    case 'badschema': {
      const isJson = (item: AnswerItem) => item.text.startsWith('{') && !answer.incomplete;
      return withItems(
        answer.items.map((item) => (isJson(item) ? { ...item, text: missSchema(item.text) } : item)),
        answer.incomplete,
      );
    }
    default:
      return answer;
  }
}
