/**
 * What a model that reasons does before it answers. Such models have a name that begins with `sim-reason`; they think
 * the longer the more `reasoning.effort` asks of them, are billed for it within `max_output_tokens`, and show of it a
 * summary, where one is asked for, and an encrypted form, where it is included.
 */
import { hash } from 'node:crypto';
import { isObject } from '../json.ts';
import type { CreateRequest } from '../request/validate.ts';
import type { ReasoningItem } from './answer.ts';
import { topicOf } from './prose.ts';

const REASONING_MODEL = /^sim-reason/;
const DEFAULT_EFFORT = 'medium';
/** In steps of 64, as OpenAI counts them. */
const TOKENS: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 64,
  low: 128,
  medium: 320,
  high: 1024,
  xhigh: 2048,
  max: 4096,
};

/** True for a model that reasons before it answers. */
export function isReasoningModel(model: string): boolean {
  return REASONING_MODEL.test(model);
}

/** The effort a response tells: the request's, or the model's own. */
export function effortOf(model: string, reasoning: unknown): unknown {
  const asked = isObject(reasoning) ? reasoning.effort : undefined;
  return asked ?? (isReasoningModel(model) ? DEFAULT_EFFORT : null);
}

function summaryParts(summary: unknown, topic: string): string[] {
  if (typeof summary !== 'string') return [];
  const plan = `**Planning the answer**\n\nThe question is about ${topic}. I should find what matters most.`;
  const check = '**Checking it**\n\nI compare what I have with what was asked, and leave out what was not.';
  return summary === 'concise' ? [plan] : [plan, check];
}

/** The reasoning that precedes the answer to `request`; undefined where there is none. */
export function reasoningOf(request: CreateRequest): ReasoningItem | undefined {
  const { model, body } = request;
  const tokens = isReasoningModel(model) ? (TOKENS[String(effortOf(model, body.reasoning))] ?? TOKENS.medium ?? 0) : 0;
  if (tokens === 0) return undefined;
  const { summary, generate_summary: former } = isObject(body.reasoning) ? body.reasoning : {};
  const parts = summaryParts(summary ?? former, topicOf(request.document || request.text));
  const encrypted = Array.isArray(body.include) && body.include.includes('reasoning.encrypted_content');
  const sealed = `gAAAAA${hash('sha512', `${model}\n${request.text}`, 'base64')}`;
  return { kind: 'reasoning', text: parts.join('\n'), parts, tokens, ...(encrypted && { encrypted: sealed }) };
}
