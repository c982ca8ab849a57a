/** What a call is answered with, before it is put into any API's shape. */
import { countTokens } from '../request/input-text.ts';

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

/** What the item is billed as. */
export function tokensOf(item: AnswerItem): number {
  return countTokens(item.text);
}

/** The items as an answer of their own length. */
export function answerOf(items: AnswerItem[], incomplete = false): Answer {
  return { items, outputTokens: items.reduce((sum, item) => sum + tokensOf(item), 0), incomplete };
}
