/** The words of a request: what the simulator reads, counts and answers from. */
import { hash } from 'node:crypto';
import { isObject, type JsonObject } from '../json.ts';

/** A create request, of whatever type: only these fields hold words. */
type Wording = JsonObject | { input?: unknown; instructions?: unknown; metadata?: unknown };

/** OpenAI's rule of thumb for English text. */
export const CHARACTERS_PER_TOKEN = 4;
/** 96 bits: no two of a million inputs share a key. */
const LEDGER_KEY_HEX_DIGITS = 24;

const USER_ROLES = new Set<unknown>(['user', undefined]);

/** About how many tokens `text` has. */
export function countTokens(text: string, charactersPerToken = CHARACTERS_PER_TOKEN): number {
  return Math.ceil(text.length / charactersPerToken);
}

function partTexts(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown) => (isObject(part) && typeof part.text === 'string' ? [part.text] : []));
}

/** The texts of an input item: a message's, or a tool's output. */
export function itemTexts(item: unknown): string[] {
  if (!isObject(item)) return [];
  return [...partTexts(item.content), ...partTexts(item.output)];
}

/** Every text of the request's `input`, of every role, in order. */
export function inputTexts({ input }: Wording): string[] {
  if (typeof input === 'string') return [input];
  return Array.isArray(input) ? input.flatMap(itemTexts) : [];
}

/** All text of the request's `input`, of every role; empty where there is none. */
export function inputText(request: Wording): string {
  return inputTexts(request).join('\n');
}

/** What the user said, without system and developer messages: the document of an extraction. */
export function documentText(request: Wording): string {
  const { input } = request;
  if (typeof input === 'string') return input;
  if (!Array.isArray(input)) return '';
  const fromUser = input.filter((item) => isObject(item) && USER_ROLES.has(item.role));
  return fromUser.flatMap(itemTexts).join('\n');
}

/** The input's items since the assistant spoke last. */
export function latestItems({ input }: Wording): unknown[] {
  if (!Array.isArray(input)) return [{ role: 'user', content: input }];
  return input.slice(input.findLastIndex((item) => isObject(item) && item.role === 'assistant') + 1);
}

/** Their texts. */
export function latestTexts(request: Wording): string[] {
  return latestItems(request).flatMap(itemTexts);
}

/** What the newest function output says, where nobody has spoken since; undefined where there is none. */
export function latestOutputText({ input }: Wording): string | undefined {
  if (!Array.isArray(input)) return undefined;
  const latest = input.findLast((item) => isObject(item) && (item.type === 'function_call_output' || 'role' in item));
  return isObject(latest) && latest.type === 'function_call_output' ? partTexts(latest.output).join('\n') : undefined;
}

/** Tokens of input and instructions together. */
export function countInputTokens(request: Wording, charactersPerToken?: number): number {
  const { instructions } = request;
  return countTokens(inputText(request) + (typeof instructions === 'string' ? instructions : ''), charactersPerToken);
}

/** By what the ledger knows a call: `metadata.key` where present, else 24 hex digits of the input text's SHA-256. */
export function ledgerKey(request: Wording): string {
  if (isObject(request.metadata) && typeof request.metadata.key === 'string') return request.metadata.key;
  return hash('sha256', inputText(request)).slice(0, LEDGER_KEY_HEX_DIGITS);
}
