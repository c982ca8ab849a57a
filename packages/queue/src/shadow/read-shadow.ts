/** The comparison of a queue's two APIs: totals since the beginning, and the newest jobs whose answers differ. */
import type { UpstreamApi } from '@millrace/core';
import { readJson } from '../job-record.ts';
import type { Store, StoreQueue } from '../store.ts';
import { APIS, type DropReason, type ShadowPair } from './write-shadow.ts';

export interface SideReport {
  answered: number;
  failed: number;
  /** Of answered calls: the mean is of all, the percentiles of those that are kept. Null where there are none. */
  ms: { mean: number | null; p50: number | null; p95: number | null };
  /** Of answered calls. */
  tokens: { input_mean: number | null; output_mean: number | null };
  /** What the calls that are kept took, by model. */
  took: { model: string | null; calls: number; input_tokens: number; output_tokens: number }[];
}

export interface ShadowReport {
  compared: number;
  /** Of those: the same text. */
  equal: number;
  /** Pairs that are kept: what percentiles and differences are of. */
  kept: number;
  dropped: Record<DropReason, number>;
  /** Tokens of the calls that were made to be compared; no job has them in its usage. */
  spent: { input_tokens: number; output_tokens: number };
  sides: Record<UpstreamApi, SideReport>;
  /** Newest first. */
  differences: ShadowPair[];
}

const DROP_REASONS: readonly DropReason[] = ['busy', 'held', 'late', 'stopped'];

/** @param limit the most differences that are told */
export async function readShadow(store: Store, { keys }: StoreQueue, limit: number): Promise<ShadowReport> {
  const [totals, stored] = await Promise.all([store.redis.hgetall(keys.shadowTotals), store.redis.hvals(keys.shadow)]);
  const total = (field: string): number => Number(totals[field] ?? 0);
  const pairs = stored
    .map((text) => readJson<ShadowPair>(text))
    .filter((pair) => pair !== null)
    .sort((a, b) => b.at - a.at);
  const side = (api: UpstreamApi): SideReport => {
    const answered = total(`answered:${api}`);
    const mean = (field: string): number | null => (answered === 0 ? null : total(`${field}:${api}`) / answered);
    const times = pairs.filter((pair) => pair[api].status !== 'failed').map((pair) => pair[api].ms);
    return {
      answered,
      failed: total(`failed:${api}`),
      ms: { mean: mean('ms'), p50: percentile(times, 0.5), p95: percentile(times, 0.95) },
      tokens: { input_mean: mean('input'), output_mean: mean('output') },
      took: tookByModel(pairs, api),
    };
  };
  return {
    compared: total('compared'),
    equal: total('equal'),
    kept: pairs.length,
    dropped: Object.fromEntries(DROP_REASONS.map((why) => [why, total(`dropped:${why}`)])) as ShadowReport['dropped'],
    spent: { input_tokens: total('shadow:input'), output_tokens: total('shadow:output') },
    sides: Object.fromEntries(APIS.map((api) => [api, side(api)])) as ShadowReport['sides'],
    differences: pairs.filter((pair) => !pair.same_text).slice(0, limit),
  };
}

function tookByModel(pairs: readonly ShadowPair[], api: UpstreamApi): SideReport['took'] {
  const took = new Map<string | null, SideReport['took'][number]>();
  for (const { model, [api]: side } of pairs) {
    if (side.status === 'failed') continue;
    const sum = took.get(model) ?? { model, calls: 0, input_tokens: 0, output_tokens: 0 };
    took.set(model, sum);
    sum.calls += 1;
    sum.input_tokens += side.input_tokens ?? 0;
    sum.output_tokens += side.output_tokens ?? 0;
  }
  return [...took.values()];
}

/** By the nearest rank. */
function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
