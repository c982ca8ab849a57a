/** `x-ratelimit-*` of our own limit, under OpenAI's names: how much of a minute is left to whoever asks now. */
import { groupOf, type KindStatus, type LimitsStatus, readLimits, type Store } from '@millrace/queue';

/** One read serves all requests of this time. */
const FRESH_MS = 1000;

/** What tells the headers for a queue and model; none where nothing is limited, or nothing is known yet. */
export function openLimitHeaders(
  store: Store,
): (queue: string, model: string | null) => Promise<Record<string, string>> {
  let read: { at: number; limits: Promise<LimitsStatus | null> } | null = null;
  const limits = (): Promise<LimitsStatus | null> => {
    if (read === null || Date.now() - read.at > FRESH_MS) {
      // Headers are a courtesy: an answer does not fail for them.
      read = { at: Date.now(), limits: readLimits(store).catch(() => null) };
    }
    return read.limits;
  };
  return async (queue, model) => {
    const name = store.config.queues[queue]?.limit;
    const config = store.config.limits[name ?? ''];
    if (config === undefined) return {};
    const found = (await limits())?.limits.find((limit) => limit.name === name);
    const group = found?.groups.find((one) => one.group === groupOf(config, model ?? ''));
    if (group !== undefined)
      return { ...kindHeaders('requests', group.requests), ...kindHeaders('tokens', group.tokens) };
    // Never used yet: all of it is left.
    const { requestsPerMinute = null, tokensPerMinute = null } = config;
    return {
      ...kindHeaders('requests', { limit: requestsPerMinute, used: 0, remaining: null }),
      ...kindHeaders('tokens', { limit: tokensPerMinute, used: 0, remaining: null }),
    };
  };
}

function kindHeaders(
  kind: string,
  { limit, used, remaining: told }: Pick<KindStatus, 'limit' | 'used' | 'remaining'>,
): Record<string, string> {
  if (limit === null) return {};
  const left = Math.floor(Math.max(0, Math.min(limit, limit - (used ?? 0), told ?? limit)));
  return {
    [`x-ratelimit-limit-${kind}`]: String(Math.floor(limit)),
    [`x-ratelimit-remaining-${kind}`]: String(left),
    [`x-ratelimit-reset-${kind}`]: duration(((limit - left) / limit) * 60_000),
  };
}

/** As OpenAI writes it: `12ms`, `1.5s`, `1m0s`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.round(ms / 100) / 10;
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`;
}
