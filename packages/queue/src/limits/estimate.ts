/**
 * What a call is expected to count for, learned from what calls came to: characters per token of a model's input, and the
 * output of each kind of request (its model, instructions and schema). No tokenizer: a running mean is within a few
 * percent of it after some dozen calls, and the limit is corrected by the upstream's own count anyway.
 */
import type { Usage } from '@millrace/core';
import type { Redis } from 'ioredis';
import { limitKeys } from '../keys.ts';
import type { Ticket } from '../ticket.ts';

/** English prose; code and other scripts have fewer. */
const CHARACTERS_PER_TOKEN = 4;
/** Of a kind of request that nobody has answered yet and that names no `max_output_tokens`. */
const FIRST_OUTPUT_TOKENS = 300;
/** How much one call moves what is known: the mean of about the last twenty. */
const GAIN = 0.1;
/** Kinds of request that are remembered; what comes beyond is expected as on the first day. */
const MOST_KINDS = 2000;
/** How soon processes hear of what others have learned. */
const SHARE_EVERY_MS = 2000;

export interface Estimates {
  /** Tokens that the upstream will count for the request, as OpenAI counts: input + `max_output_tokens` where given. */
  expected(ticket: Ticket, model: string): number;
  /** What it counted for, once it is answered; null where the answer does not say. */
  counted(ticket: Ticket, usage: Usage | null | undefined): number | null;
  learn(ticket: Ticket, model: string, usage: Usage): void;
  close(): void;
}

/** Shared by all processes through Redis, last writer wins: their means are of the same calls. */
export function openEstimates(redis: Redis, limit: string, onError: (error: Error) => void): Estimates {
  const { learned } = limitKeys(limit, '');
  const known = new Map<string, number>();
  /** What was learned here since it was last told. */
  const news = new Set<string>();
  const share = async (): Promise<void> => {
    if (redis.status !== 'ready') return;
    const told = [...news].flatMap((field) => [field, (known.get(field) ?? 0).toFixed(4)]);
    news.clear();
    if (told.length > 0) await redis.hset(learned, ...told);
    for (const [field, value] of Object.entries(await redis.hgetall(learned))) {
      if (Number(value) > 0) known.set(field, Number(value));
    }
  };
  const tick = (): void => void share().catch(onError);
  tick();
  const timer = setInterval(tick, SHARE_EVERY_MS);
  timer.unref();
  const move = (field: string, first: number, seen: number): void => {
    const before = known.get(field);
    if (before === undefined && known.size >= MOST_KINDS) return;
    // The first one seen says more than a guess.
    const next = before === undefined ? (first + seen) / 2 : before + GAIN * (seen - before);
    known.set(field, next);
    news.add(field);
  };
  const inputField = (model: string): string => `in:${model}`;
  const outputField = (model: string, shape: string): string => `out:${model}:${shape}`;
  return {
    expected: ({ characters = 0, max_output: most, shape = '' }, model) =>
      characters / (known.get(inputField(model)) ?? CHARACTERS_PER_TOKEN) +
      (most ?? known.get(outputField(model, shape)) ?? FIRST_OUTPUT_TOKENS),
    counted: ({ max_output: most }, usage) =>
      usage == null ? null : usage.input_tokens + (most ?? usage.output_tokens),
    learn: ({ characters = 0, shape = '' }, model, { input_tokens: input, output_tokens: output }) => {
      if (characters > 0 && input > 0) move(inputField(model), CHARACTERS_PER_TOKEN, characters / input);
      if (output > 0) move(outputField(model, shape), FIRST_OUTPUT_TOKENS, output);
    },
    close: () => clearInterval(timer),
  };
}
