/** A response's events as the chunks of a chat completion, in the frames that Chat Completions sends, `[DONE]` last. */
import { type ChatStream, openChatStream, type ResponsesEvent } from '@millrace/core';
import type { EventRendering } from './stream-response.ts';

export interface ChatTerms {
  /** Of the response. */
  id: string;
  /** As it was asked for; what the upstream names instead is told. */
  model: string;
  /** Seconds since 1970. */
  created: number;
  includeUsage: boolean;
  functionCall: boolean;
}

const DONE = 'data: [DONE]\n\n';
/** Where the data of one of our own frames begins. */
const DATA = '\ndata: ';

export function chatEvents(terms: ChatTerms): EventRendering {
  let chat: ChatStream | null = null;
  const event = (one: ResponsesEvent): string => {
    chat ??= openChatStream({ ...terms, model: modelIn(one) ?? terms.model });
    if (chat.ended) return '';
    const chunks = chat.push(one).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    return chunks.join('') + (chat.ended ? DONE : '');
  };
  return {
    event,
    frames: (frames) =>
      frames
        .split('\n\n')
        .filter((frame) => frame !== '')
        .map((frame) => event(JSON.parse(frame.slice(frame.indexOf(DATA) + DATA.length))))
        .join(''),
  };
}

function modelIn({ response }: ResponsesEvent): string | undefined {
  const model = (response as { model?: unknown } | undefined)?.model;
  return typeof model === 'string' && model !== '' ? model : undefined;
}
