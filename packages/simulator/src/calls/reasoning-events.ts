/** What a stream tells of the summary of a model's reasoning. */
import type { ReasoningItem } from '../answer/answer.ts';
import { cutIntoDeltas } from '../answer/deltas.ts';
import { type Call, itemId } from './call.ts';
import type { StreamEvent } from './events.ts';

/** The events of item `index`, without those that add it and end it. */
export function reasoningEvents(call: Call, { parts }: ReasoningItem, index: number): StreamEvent[] {
  return parts.flatMap((text, summaryIndex) => {
    const place = { item_id: itemId(call, index), output_index: index, summary_index: summaryIndex };
    const kind = 'response.reasoning_summary';
    return [
      { type: `${kind}_part.added`, ...place, part: { type: 'summary_text', text: '' } },
      ...cutIntoDeltas(text, call.streamEvents).map((delta) => ({ type: `${kind}_text.delta`, ...place, delta })),
      { type: `${kind}_text.done`, ...place, text },
      { type: `${kind}_part.done`, ...place, part: { type: 'summary_text', text } },
    ];
  });
}
