/**
 * The functions an answer calls: those the prompt's words name, else what `tool_choice` demands. `[[call:name]]` is
 * answered once, with a function's output in the input text follows; `[[loop:name x5]]` until five outputs are there.
 */
import { isObject, type JsonObject } from '../json.ts';
import { readFunctionLoops, readGivenArguments, readPromptWords } from '../request/prompt-words.ts';
import type { CreateRequest } from '../request/validate.ts';
import type { AnswerItem } from './answer.ts';
import type { Document } from './document.ts';
import { fillSchema } from './fill.ts';

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

function countItems({ input }: JsonObject, type: string, name?: string): number {
  if (!Array.isArray(input)) return 0;
  return input.filter((item) => isObject(item) && item.type === type && (name === undefined || item.name === name))
    .length;
}

/** The function whose turn it is; several loops come one after the other. */
function loopedTool(text: string, tools: FunctionTool[], outputs: number): FunctionTool | undefined {
  let turns = 0;
  for (const { name, times } of readFunctionLoops(text)) {
    const tool = tools.find((candidate) => candidate.name === name);
    if (!tool) continue;
    turns += times;
    if (outputs < turns) return tool;
  }
  return undefined;
}

function calledTools({ body, text }: CreateRequest): FunctionTool[] {
  const tools = functionTools(body);
  const choice = body.tool_choice;
  if (tools.length === 0 || choice === 'none') return [];
  const outputs = countItems(body, 'function_call_output');
  const asked = outputs > 0 ? [] : readPromptWords(text, Number.POSITIVE_INFINITY).calls;
  const named = asked.flatMap((name) => tools.filter((tool) => tool.name === name));
  if (named.length > 0) return body.parallel_tool_calls === false ? named.slice(0, 1) : named;
  const looped = loopedTool(text, tools, outputs);
  if (looped) return [looped];
  if (isObject(choice)) return tools.filter(({ name }) => name === choice.name).slice(0, 1);
  return choice === 'required' ? tools.slice(0, 1) : [];
}

/** The calls `request` is answered with, arguments filled from `document` or as `[[args:name …]]` gives them. */
export function functionCalls(request: CreateRequest, document: Document): AnswerItem[] {
  const given = readGivenArguments(request.text);
  const called = new Map<string, number>();
  return calledTools(request).map(({ name, parameters }) => {
    const texts = given.get(name);
    // The first text is for the first call of the conversation, and so on; the last one for all that follow.
    const nth = called.get(name) ?? countItems(request.body, 'function_call', name);
    called.set(name, nth + 1);
    const text = texts?.[Math.min(nth, texts.length - 1)];
    return {
      kind: 'function_call',
      name,
      text: text ?? JSON.stringify(fillSchema({ type: 'object', ...parameters }, document)),
    };
  });
}
