/** What a call is answered with, before it is put into any API's shape. */
import type { JsonObject } from '../json.ts';
import { countTokens } from '../request/input-text.ts';
import type { HostedTool } from '../request/prompt-words.ts';

/** A call of a tool that the server runs itself. */
export interface HostedCall {
  kind: 'hosted_call';
  tool: HostedTool;
  /** What the model writes for it, code or arguments; empty for the others. */
  text: string;
  /** Its item's fields from the beginning, and those that are null until it is done. */
  fields: JsonObject;
  result: JsonObject;
  /** How many images are shown before the finished one. */
  partialImages?: number;
}

/** What a model that reasons does first. */
export interface ReasoningItem {
  kind: 'reasoning';
  /** Its summary; empty where none is shown. */
  text: string;
  parts: string[];
  /** What it is billed as, however much of it is shown. */
  tokens: number;
  encrypted?: string;
}

export type AnswerItem =
  | HostedCall
  | ReasoningItem
  | { kind: 'text'; text: string; annotations?: JsonObject[] }
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

/** What the item is billed as. */
export function tokensOf(item: AnswerItem): number {
  return item.kind === 'reasoning' ? item.tokens : countTokens(item.text);
}

/** The item with another text: what was cited of the old one is gone. */
export function withText(item: AnswerItem, text: string): AnswerItem {
  return item.kind === 'text' ? { kind: 'text', text } : { ...item, text };
}

/** The part of the answer's tokens that went into reasoning. */
export function reasoningTokensOf({ items }: Answer): number {
  return items.reduce((sum, item) => sum + (item.kind === 'reasoning' ? item.tokens : 0), 0);
}

/** What precedes the answer proper: reasoning, and the calls of hosted tools. */
export function leadOf({ items }: Answer): AnswerItem[] {
  const first = items.findIndex(({ kind }) => kind !== 'hosted_call' && kind !== 'reasoning');
  return first < 0 ? items : items.slice(0, first);
}

/** The items as an answer of their own length. */
export function answerOf(items: AnswerItem[], incomplete = false): Answer {
  return { items, outputTokens: items.reduce((sum, item) => sum + tokensOf(item), 0), incomplete };
}
