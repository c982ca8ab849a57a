/** The limits in /metrics: what is configured and learned, what is left by the upstream's word, and who waits. */
import type { LimitStatus } from '@millrace/queue';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Returns a function that sets all of them anew: a model that is forgotten has no sample any more. */
export function openLimitMetrics(registry: Registry): (limits: readonly LimitStatus[]) => void {
  const gauge = (name: string, help: string, ...labelNames: string[]): Gauge =>
    new Gauge({ name, help, labelNames: ['limit', ...labelNames], registers: [registry] });
  const ofKind = ['model', 'kind'];
  const closed = gauge('millrace_limit_closed', '1 while the limit is closed as a whole: its key is refused.');
  const inFlight = gauge('millrace_limit_in_flight', 'Reservations under way.');
  const mostInFlight = gauge('millrace_limit_configured_in_flight', 'The most calls in flight, where configured.');
  const paused = gauge('millrace_limit_paused', '1 while a 429 keeps the model’s calls from starting.', 'model');
  const waiting = gauge('millrace_limit_waiting', 'Worker processes that wait for room under the limit.', 'model');
  const configured = gauge('millrace_limit_configured', 'Requests or tokens a minute, as configured.', ...ofKind);
  const learned = gauge('millrace_limit_learned', 'Requests or tokens a minute, as the upstream tells.', ...ofKind);
  const remaining = gauge('millrace_limit_remaining', 'What was left when the upstream last told.', ...ofKind);
  const low = gauge('millrace_limit_low', '1 while nearly nothing is left by the upstream’s word.', ...ofKind);
  const used = new Counter({
    name: 'millrace_limit_used_total',
    help: 'Requests and tokens that were counted under the limit.',
    labelNames: ['limit', ...ofKind],
    registers: [registry],
  });
  const all = [closed, inFlight, mostInFlight, paused, waiting, configured, learned, remaining, low, used];

  return (limits) => {
    for (const metric of all) metric.reset();
    for (const { name: limit, config, closed: isClosed, inFlight: count, groups } of limits) {
      closed.set({ limit }, isClosed === null ? 0 : 1);
      inFlight.set({ limit }, count);
      if (config.inFlight !== undefined) mostInFlight.set({ limit }, config.inFlight);
      for (const { group: model, closedUntil, waiting: line, ...kinds } of groups) {
        paused.set({ limit, model }, closedUntil === null ? 0 : 1);
        waiting.set({ limit, model }, line?.processes ?? 0);
        for (const kind of ['requests', 'tokens'] as const) {
          const status = kinds[kind];
          const labels = { limit, model, kind };
          if (status.configured !== null) configured.set(labels, status.configured);
          if (status.learned !== null) learned.set(labels, status.learned);
          if (status.remaining !== null) remaining.set(labels, status.remaining);
          if (status.fullest !== null) low.set(labels, status.lowSince === null ? 0 : 1);
          used.inc(labels, status.total);
        }
      }
    }
  };
}
