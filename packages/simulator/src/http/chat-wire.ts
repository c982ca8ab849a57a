/** The Chat Completions API on the wire. */

import { headEvents } from '../calls/events.ts';
import { chunkTexts, lastChunkTexts } from '../chat/chunks.ts';
import { chatCompletion, completionError } from '../chat/completion.ts';
import type { Wire } from './wire.ts';

const HALF_A_CHUNK =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"and th\n\n';

/** The API as one request uses it; `includeUsage` where its stream is to end with a chunk of usage. */
export function chatWire(includeUsage: boolean): Wire {
  return {
    api: 'chat',
    plain: (call) => completionError(call) ?? { status: 200, body: chatCompletion(call) },
    stream(call) {
      const events = headEvents(call);
      const texts = chunkTexts(call, events, includeUsage);
      return {
        events,
        textOf: (index) => texts[index] ?? '',
        terminalText: () => lastChunkTexts(call, includeUsage),
        half: HALF_A_CHUNK,
      };
    },
  };
}
