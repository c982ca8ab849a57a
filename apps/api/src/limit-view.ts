/** How a limit is shown at /v1/limits: times in seconds, requests and tokens as whole numbers of a minute. */
import type { GroupStatus, KindStatus, LimitStatus } from '@millrace/queue';

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);
const whole = (count: number | null): number | null => (count === null ? null : Math.floor(count));

/** @param now ms by Redis's clock */
export function limitView(
  { name, config, inFlight, closed, groups }: LimitStatus,
  now: number,
): Record<string, unknown> {
  return {
    name,
    object: 'limit',
    configured: {
      requests_per_minute: config.requestsPerMinute ?? null,
      tokens_per_minute: config.tokensPerMinute ?? null,
      in_flight: config.inFlight ?? null,
      burst_seconds: config.burstSeconds,
      models: config.models,
    },
    in_flight: inFlight,
    closed:
      closed === null
        ? null
        : { reason: closed.why, since: seconds(closed.since), next_probe_at: seconds(closed.nextProbeAt) },
    models: groups.map((group) => groupView(group, now)),
  };
}

function groupView(group: GroupStatus, now: number): Record<string, unknown> {
  const { closedUntil, waiting } = group;
  return {
    model: group.group,
    learned_from: group.told,
    closed: closedUntil === null ? null : { reason: 'rate_limited', until: seconds(closedUntil) },
    requests: kindView(group.requests, now),
    tokens: kindView(group.tokens, now),
    waiting:
      waiting === null ? null : { processes: waiting.processes, for: waiting.scarce, until: seconds(waiting.until) },
  };
}

function kindView(kind: KindStatus, now: number): Record<string, unknown> {
  return {
    per_minute: whole(kind.limit),
    learned_per_minute: whole(kind.learned),
    available: whole(kind.available),
    burst: whole(kind.burst),
    others_per_minute: whole(kind.others),
    remaining: whole(kind.remaining),
    fullest: whole(kind.fullest),
    low_since: seconds(kind.lowSince),
    used:
      kind.used === null || kind.usedSince === null
        ? null
        : { count: kind.used, seconds: (now - kind.usedSince) / 1000 },
  };
}
