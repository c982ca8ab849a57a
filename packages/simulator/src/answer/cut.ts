/** Cuts an answer off where its tokens run out, without leaving half a character. */
import { CHARACTERS_PER_TOKEN } from '../request/input-text.ts';
import { type Answer, type AnswerItem, tokensOf, withText } from './answer.ts';

/** No half of a character beyond 16 bits is left at the cut. */
export function cutText(text: string, characters: number): string {
  return text.slice(0, characters).toWellFormed();
}

/** `item`, cut at `tokens`; of reasoning nothing is shown unless it is done. */
function cutItem(item: AnswerItem, tokens: number): AnswerItem {
  if (item.kind === 'reasoning') return { kind: 'reasoning', text: '', parts: [], tokens };
  return withText(item, cutText(item.text, tokens * CHARACTERS_PER_TOKEN));
}

/** Cuts the items where the tokens run out; what would follow is never made. */
export function cutAtTokens(items: AnswerItem[], maxTokens: number): Answer {
  const kept: AnswerItem[] = [];
  let left = maxTokens;
  for (const item of items) {
    const tokens = tokensOf(item);
    if (tokens > left) {
      kept.push(cutItem(item, left));
      return { items: kept, outputTokens: maxTokens, incomplete: true };
    }
    kept.push(item);
    left -= tokens;
  }
  return { items: kept, outputTokens: maxTokens - left, incomplete: false };
}
