/**
 * What calls cost: one dated table of OpenAI's list prices, to be overridden and extended by `prices` of the
 * configuration. A model that is in neither has no price: its cost is unknown, never 0.
 */
import type { ModelPrice, Usage } from '@millrace/core';

/** Whose prices the table has: those of this month, as published at `PRICES_FROM`. */
export const PRICES_DATE = '2025-11';
export const PRICES_FROM = 'https://openai.com/api/pricing';

/** US dollars per million tokens: input, cached input, output. Standard tier; no cached price: as input. */
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

export interface KnownPrice {
  price: ModelPrice;
  from: 'configuration' | 'table';
}

/** The price of a model, or null where none is known. */
export function priceOf(model: string, own: Readonly<Record<string, ModelPrice>>): ModelPrice | null {
  return findPrice(model, own)?.price ?? null;
}

/** The price of a model and who says so, or null where none is known. */
export function findPrice(model: string, own: Readonly<Record<string, ModelPrice>>): KnownPrice | null {
  const names = [model, model.replace(VERSION, '')];
  for (const name of names)
    if (Object.hasOwn(own, name)) return { price: own[name] as ModelPrice, from: 'configuration' };
  for (const name of names) {
    const listed = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
    if (listed === undefined) continue;
    const [input, cachedInput, output] = listed;
    return { price: { input, output, ...(cachedInput === null ? {} : { cachedInput }) }, from: 'table' };
  }
  return null;
}

/** US dollars of what was used. Reasoning tokens are among the output tokens. */
export function costOf(
  price: ModelPrice,
  { input_tokens, input_tokens_details: { cached_tokens }, output_tokens }: Usage,
  toolCalls: Readonly<Record<string, number>> | null = null,
): number {
  return costOfTokens(price, { input: input_tokens, cached: cached_tokens, output: output_tokens }, toolCalls ?? {});
}

/** US dollars of tokens, those that were cached upstream being among the input, and of calls of its tools by type. */
export function costOfTokens(
  { input, cachedInput = input, output }: ModelPrice,
  used: { input: number; cached: number; output: number },
  toolCalls: Readonly<Record<string, number>>,
): number {
  // An upstream may count what it had cached beside its input: never less than nothing.
  const tokens =
    (Math.max(0, used.input - used.cached) * input + used.cached * cachedInput + used.output * output) / 1e6;
  const calls = Object.entries(toolCalls).reduce((sum, [type, count]) => sum + (CALLS[type] ?? 0) * count, 0);
  return exactUsd(tokens + calls);
}

/** US dollars that these tokens would have cost more, had they not been cached upstream. */
export function savedByCache({ input, cachedInput = input }: ModelPrice, cached: number): number {
  return exactUsd((Math.max(0, input - cachedInput) * cached) / 1e6);
}

/** Without the noise of binary fractions: a billionth is less than any token costs. */
export function exactUsd(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}
