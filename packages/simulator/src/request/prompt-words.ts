/**
 * Words in double brackets by which a prompt steers the simulator:
 * `[[fault:500]]` every call, `[[fault:500 x2]]` the first two calls with this text, with `after=`, `code=`, `ms=` or `times=`;
 * `[[slow:250]]` 250 ms later; `[[call:name]]` calls that function, `[[loop:name x5]]` in each of five turns, with the
 * arguments of `[[args:name {"city":"Oslo"}]]`; `[[tool:web_search]]` begins with a call of that hosted tool;
 * `[[say:text]]` is the answer's text. Faults that are counted come one after the other.
 */
import { type ChosenFault, isFaultKind } from '../calls/faults.ts';
import { readLiteralWords, withoutLiteralWords } from './literal-words.ts';
import { badParameter } from './refused.ts';

export interface PromptWords {
  /** The fault the prompt names for this call. */
  fault?: ChosenFault;
  /** Extra latency in milliseconds. */
  slowMs: number;
  /** Functions to call, in order. */
  calls: string[];
}

const ANY_WORD = /\[\[(?:fault|slow|call|loop|tool):[^\]\n]{1,200}\]\]/gi;
const FAULT_WORD = /\[\[fault:([^\]\s]+)([^\]\n]{0,200})\]\]/gi;
const SLOW_WORD = /\[\[slow:(\d{1,7})\]\]/i;
const CALL_WORD = /\[\[call:([^\]\s]{1,64})\]\]/gi;
const LOOP_WORD = /\[\[loop:([^\]\s]{1,64})(?:\s+x(\d{1,4}))?\s*\]\]/gi;
const TOOL_WORD = /\[\[tool:([^\]\s]{1,64})\]\]/gi;
const GIVEN_ARGUMENTS = /^(\S{1,64})(?:\s([\s\S]*))?$/;
const NONE: PromptWords = { slowMs: 0, calls: [] };

function readSetting(fault: ChosenFault, word: string): void {
  const [name, value = ''] = word.split('=', 2);
  const amount = Number(value);
  if (name === 'code' && value) fault.code = value;
  else if (name === 'after' && amount >= 0) fault.afterSeconds = amount;
  else if (name === 'ms' && amount >= 0) fault.ms = amount;
  else if (name === 'times' && amount >= 1) fault.times = amount;
  else throw badParameter(`Unknown fault setting '${word}'.`, 'input', 'unknown_fault');
}

function readFault(text: string, nth: number): ChosenFault | undefined {
  let first = 0;
  for (const [, name = '', rest = ''] of text.matchAll(FAULT_WORD)) {
    const kind = name.toLowerCase();
    if (!isFaultKind(kind)) throw badParameter(`Unknown fault '${name}'.`, 'input', 'unknown_fault');
    const fault: ChosenFault = { kind };
    let times = Number.POSITIVE_INFINITY;
    for (const word of rest.trim().split(/\s+/)) {
      if (/^x\d+$/i.test(word)) times = Number(word.slice(1));
      else if (word) readSetting(fault, word);
    }
    if (nth < first + times) return fault;
    first += times;
  }
  return undefined;
}

/** Tools that the server runs itself, by their names without a version. */
const HOSTED_TOOLS = ['web_search', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'computer'] as const;
export type HostedTool = (typeof HOSTED_TOOLS)[number];

/** The hosted tool that goes by this type: `web_search_preview` and `computer_use_preview` are known by it too. */
export function hostedToolOf(type: string): HostedTool | undefined {
  return HOSTED_TOOLS.find((tool) => type === tool || type.startsWith(`${tool}_`));
}

/** The hosted tools to be called, in order. Throws a RefusedRequest for one nobody knows. */
export function readHostedTools(text: string): HostedTool[] {
  if (!text.includes('[[')) return [];
  return [...withoutLiteralWords(text).matchAll(TOOL_WORD)].map(([, name = '']) => {
    const tool = hostedToolOf(name.toLowerCase());
    if (tool) return tool;
    throw badParameter(`Unknown hosted tool '${name}'.`, 'input', 'unknown_tool');
  });
}

export interface FunctionLoop {
  name: string;
  times: number;
}

/** The functions to be called turn after turn, in order; once where the word gives no number. */
export function readFunctionLoops(text: string): FunctionLoop[] {
  if (!text.includes('[[')) return [];
  return [...withoutLiteralWords(text).matchAll(LOOP_WORD)].flatMap(([, name, times]) =>
    name ? [{ name, times: Number(times ?? 1) }] : [],
  );
}

/** By function, the texts given as its arguments, in order; they need not be JSON. */
export function readGivenArguments(text: string): Map<string, string[]> {
  const given = new Map<string, string[]>();
  for (const word of readLiteralWords(text)) {
    const [, name, json = ''] = (word.kind === 'args' && GIVEN_ARGUMENTS.exec(word.text)) || [];
    if (name) given.set(name, [...(given.get(name) ?? []), json]);
  }
  return given;
}

/** What the prompt asks of the `nth` call (from 0) with this input. Throws a RefusedRequest for a fault or tool nobody knows. */
export function readPromptWords(prompt: string, nth: number): PromptWords {
  if (!prompt.includes('[[')) return NONE;
  const text = withoutLiteralWords(prompt);
  readHostedTools(text);
  const fault = readFault(text, nth);
  const calls = [...text.matchAll(CALL_WORD)].flatMap(([, name]) => (name ? [name] : []));
  return { slowMs: Number(SLOW_WORD.exec(text)?.[1] ?? 0), calls, ...(fault && { fault }) };
}

/** The text without such words: they steer the answer and never show in it. */
export function withoutPromptWords(text: string): string {
  return text.includes('[[') ? withoutLiteralWords(text).replace(ANY_WORD, '').trim() : text;
}
