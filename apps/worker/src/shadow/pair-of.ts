/** Two answers to one request, as they are kept to be compared. */
import { hash } from 'node:crypto';
import type { Answer, Outcome, UpstreamApi } from '@millrace/core';
import type { ShadowPair, ShadowSide } from '@millrace/queue';
import { callsOf } from '../turns/next-input.ts';
import { similarity } from './similarity.ts';

/** What one call came to. */
export interface Called {
  outcome: Outcome;
  /** How long it took. */
  ms: number;
}

/** What of a text is kept: enough to see how it differs. */
const TEXT_CHARACTERS = 2000;

export interface Compared {
  id: string;
  model: string | null;
  /** Whose answer is the job's. */
  api: UpstreamApi;
  calls: Record<UpstreamApi, Called>;
}

export function pairOf({ id, model, api, calls }: Compared): ShadowPair {
  const [ours, theirs] = [textOf(calls.responses.outcome), textOf(calls.chat.outcome)];
  const both = ours !== null && theirs !== null;
  return {
    ...{ id, at: Date.now(), model, answered_by: api },
    responses: sideOf(calls.responses, ours),
    chat: sideOf(calls.chat, theirs),
    same_text: both && ours === theirs,
    similarity: both ? similarity(ours, theirs) : null,
  };
}

function sideOf({ outcome, ms }: Called, text: string | null): ShadowSide {
  const { kind, usage } = outcome;
  const error = 'error' in outcome ? outcome.error : null;
  const { code, upstream_status: status } = error ?? {};
  return {
    status: kind === 'completed' || kind === 'incomplete' ? kind : 'failed',
    ms: Math.round(ms),
    input_tokens: usage?.input_tokens ?? null,
    output_tokens: usage?.output_tokens ?? null,
    text_sha256: text === null ? null : hash('sha256', text),
    text: text?.slice(0, TEXT_CHARACTERS) ?? null,
    error: code === undefined ? null : { code, ...(status === undefined ? {} : { upstream_status: status }) },
  };
}

/** What was said, and called: two answers that call a function otherwise are not the same. Null of what failed. */
function textOf(outcome: Outcome): string | null {
  if (outcome.kind !== 'completed' && outcome.kind !== 'incomplete') return null;
  const { output_text: text, response }: Answer = outcome.answer;
  const calls = callsOf(response.output).map((call) => `${call.name}(${call.arguments})`);
  return [...(text === '' ? [] : [text]), ...calls].join('\n');
}
