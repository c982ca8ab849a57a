/**
 * What the other API answered to a job beside what the job was answered, kept to be compared: the newest of each queue,
 * and totals of all. The answers' beginnings are kept, the requests never.
 */
import type { UpstreamApi } from '@millrace/core';
import { runScript } from '../scripts.ts';
import type { Store, StoreQueue } from '../store.ts';

/** What one API answered. */
export interface ShadowSide {
  status: 'completed' | 'incomplete' | 'failed';
  /** How long the call took, without waiting for its turn. */
  ms: number;
  input_tokens: number | null;
  output_tokens: number | null;
  /** Of the whole text. Null where there is none. */
  text_sha256: string | null;
  /** Its beginning. */
  text: string | null;
  error: { code: string; upstream_status?: number } | null;
}

export interface ShadowPair {
  /** The job's. */
  id: string;
  /** When they were compared, in ms. */
  at: number;
  model: string | null;
  /** Whose answer is the job's. */
  answered_by: UpstreamApi;
  responses: ShadowSide;
  chat: ShadowSide;
  same_text: boolean;
  /** From 0 to 1; null unless both have answered. */
  similarity: number | null;
}

/** Why a job that was to be compared was not: too many at a time, no room beside the jobs, too long in line, or at the end. */
export type DropReason = 'busy' | 'held' | 'late' | 'stopped';

export const APIS = ['responses', 'chat'] as const;
/** Of a queue; an entry has some kilobytes. */
const KEPT = 1000;

/** @throws ReplyError from Redis (OOM …), or a connection error: nothing is lost but the comparison */
export async function writeShadow(store: Store, { keys }: StoreQueue, pair: ShadowPair): Promise<void> {
  const totals = Object.entries(totalsOf(pair)).filter(([, count]) => count > 0);
  await runScript(
    store.redis,
    'shadow',
    [keys.job(pair.id), keys.shadow, keys.shadowAt, keys.shadowTotals],
    [pair.id, pair.at, JSON.stringify(pair), KEPT, ...totals.flat()],
  );
}

/** Counts a job that was not compared though its queue's share would have had it so. */
export async function countDropped(store: Store, { keys }: StoreQueue, why: DropReason): Promise<void> {
  await store.redis.hincrby(keys.shadowTotals, `dropped:${why}`, 1);
}

/** `compared` and `equal`; by API how many `answered` and `failed`, and sums of those that answered; what the other calls cost. */
function totalsOf(pair: ShadowPair): Record<string, number> {
  const totals: Record<string, number> = { compared: 1, equal: pair.same_text ? 1 : 0 };
  for (const api of APIS) {
    const { status, ms, input_tokens: input, output_tokens: output } = pair[api];
    const answered = status !== 'failed';
    totals[`answered:${api}`] = answered ? 1 : 0;
    totals[`failed:${api}`] = answered ? 0 : 1;
    totals[`ms:${api}`] = answered ? Math.round(ms) : 0;
    totals[`input:${api}`] = answered ? (input ?? 0) : 0;
    totals[`output:${api}`] = answered ? (output ?? 0) : 0;
    if (api === pair.answered_by) continue;
    totals['shadow:input'] = input ?? 0;
    totals['shadow:output'] = output ?? 0;
  }
  return totals;
}
