/** A stored job as a turn of a conversation: what it asked, then what it was answered. */
import {
  type Answer,
  conversationOf,
  type ExtractBody,
  extractRequest,
  inputItemsOf,
  isItemReference,
  type Job,
  type ResponsesBody,
  retoldItem,
} from '@millrace/core';
import type { HistoryTurn } from './cut-turns.ts';
import type { Item } from './measure-items.ts';

export interface JobTurn {
  items: HistoryTurn;
  /** An extraction's are of no use to who goes on from it. */
  instructions: string | null;
  /** The response that it went on from itself. */
  previous: string | null;
  /** Where part of what it went on from is with its upstream only: what names that. */
  elsewhere: string | null;
}

export function turnOfJob({ job, answer }: { job: Job; answer: Answer | null }): JobTurn {
  const body = job.type === 'extract' ? askedBy(job.body as ExtractBody) : (job.body as ResponsesBody);
  const input = inputItemsOf(body.input);
  const output = (answer?.response.output ?? []) as Item[];
  const { instructions, previous_response_id: previous } = body;
  return {
    items: [...input, ...output].flatMap(retoldItem),
    instructions: job.type === 'generate' && typeof instructions === 'string' ? instructions : null,
    previous: typeof previous === 'string' ? previous : null,
    elsewhere: conversationOf(body) ?? input.find(isItemReference)?.id ?? null,
  };
}

/** Its input is the same whatever its schema, which the configuration may have lost. */
function askedBy(body: ExtractBody): ResponsesBody {
  return extractRequest(body, { name: '', schema: {} });
}
