/**
 * What calls cost: one dated table of OpenAI's list prices, to be overridden and extended by `prices` of the
 * configuration. A model that is in neither has no price: its cost is unknown, never 0.
 */
import type { ModelPrice, Usage } from '@millrace/core';

/** Of November 2025, as published at https://openai.com/api/pricing. US dollars per million tokens: input, cached input, output. Standard tier; no cached price: as input. */
const TABLE: Readonly<Record<string, readonly [input: number, cached: number | null, output: number]>> = {
  'gpt-5.1': [1.25, 0.125, 10],
  'gpt-5': [1.25, 0.125, 10],
  'gpt-5-chat': [1.25, 0.125, 10],
  'gpt-5-codex': [1.25, 0.125, 10],
  'gpt-5-mini': [0.25, 0.025, 2],
  'gpt-5-nano': [0.05, 0.005, 0.4],
  'gpt-5-pro': [15, null, 120],
  'gpt-4.1': [2, 0.5, 8],
  'gpt-4.1-mini': [0.4, 0.1, 1.6],
  'gpt-4.1-nano': [0.1, 0.025, 0.4],
  'gpt-4o': [2.5, 1.25, 10],
  'gpt-4o-mini': [0.15, 0.075, 0.6],
  o1: [15, 7.5, 60],
  'o1-pro': [150, null, 600],
  o3: [2, 0.5, 8],
  'o3-mini': [1.1, 0.55, 4.4],
  'o3-pro': [20, null, 80],
  'o3-deep-research': [10, 2.5, 40],
  'o4-mini': [1.1, 0.275, 4.4],
  'o4-mini-deep-research': [2, 0.5, 8],
  'computer-use-preview': [3, null, 12],
};

/** US dollars a call of tools that the upstream runs and bills apart from tokens. Others cost tokens, or by time. */
const CALLS: Readonly<Record<string, number>> = { web_search_call: 0.01, file_search_call: 0.0025 };

/** `gpt-5-mini-2025-08-07` and `gpt-5-chat-latest` cost what their model costs. */
const VERSION = /-(\d{4}-\d{2}-\d{2}|latest)$/;

/** The price of a model, or null where none is known. */
export function priceOf(model: string, own: Readonly<Record<string, ModelPrice>>): ModelPrice | null {
  const names = [model, model.replace(VERSION, '')];
  for (const name of names) if (Object.hasOwn(own, name)) return own[name] as ModelPrice;
  for (const name of names) {
    const listed = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
    if (listed === undefined) continue;
    const [input, cachedInput, output] = listed;
    return { input, output, ...(cachedInput === null ? {} : { cachedInput }) };
  }
  return null;
}

/** US dollars of what was used. Reasoning tokens are among the output tokens. */
export function costOf(
  { input, cachedInput = input, output }: ModelPrice,
  { input_tokens, input_tokens_details: { cached_tokens }, output_tokens }: Usage,
  toolCalls: Readonly<Record<string, number>> | null = null,
): number {
  const tokens = ((input_tokens - cached_tokens) * input + cached_tokens * cachedInput + output_tokens * output) / 1e6;
  const calls = Object.entries(toolCalls ?? {}).reduce((sum, [type, count]) => sum + (CALLS[type] ?? 0) * count, 0);
  // Without the noise of binary fractions: a billionth is less than any token costs.
  return Math.round((tokens + calls) * 1e9) / 1e9;
}
