/** What a text answer cites where its call searched: the page or the file, at the text's first sentence. */
import type { JsonObject } from '../json.ts';
import type { HostedCall } from './answer.ts';
import { fileAbout, pageAbout } from './hosted-calls.ts';

function endOfFirstSentence(text: string): number {
  const end = text.search(/[.!?](\s|$)/);
  return end < 0 ? text.length : end + 1;
}

/** The annotations of `text`, which follows `calls` and is about `topic`. */
export function citationsOf(calls: readonly HostedCall[], text: string, topic: string): JsonObject[] {
  const end = endOfFirstSentence(text);
  return calls.flatMap(({ tool }): JsonObject[] => {
    if (tool === 'web_search') {
      return [{ type: 'url_citation', start_index: 0, end_index: end, title: topic, url: pageAbout(topic) }];
    }
    return tool === 'file_search' ? [{ type: 'file_citation', index: end, ...fileAbout(topic) }] : [];
  });
}
