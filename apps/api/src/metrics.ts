/**
 * /metrics for the whole fleet: the queues' counters are kept in Redis by the scripts that move the jobs, so any API
 * process tells the same, and a restart loses nothing. Only the process metrics are this process's own.
 */
import {
  type BreakerState,
  countDeliveries,
  countQueues,
  LATENCY_BUCKETS_SECONDS,
  readBreakers,
  readCounters,
  readLimits,
  readSpentTotals,
  readWorkers,
  type Store,
  tokensOf,
} from '@millrace/queue';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { openLimitMetrics } from './limit-metrics.ts';
import { openSpentMetrics } from './spent-metrics.ts';

type Counters = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Returns a function that renders the metrics as Prometheus text. */
export function openMetrics(store: Store): { contentType: string; render: () => Promise<string> } {
  const registry = new Registry();
  // Event-loop delay, memory, CPU and descriptors of this process.
  collectDefaultMetrics({ register: registry });

  const jobs = new Gauge({
    name: 'millrace_queue_jobs',
    help: 'Jobs kept, by queue and state.',
    labelNames: ['queue', 'state'],
    registers: [registry],
  });
  const paused = new Gauge({
    name: 'millrace_queue_paused',
    help: '1 while the queue is paused.',
    labelNames: ['queue'],
    registers: [registry],
  });
  const inFlight = new Gauge({
    name: 'millrace_in_flight',
    help: 'Attempts running now, fleet-wide.',
    labelNames: ['queue'],
    registers: [registry],
  });
  const keptBytes = new Gauge({
    name: 'millrace_kept_bytes',
    help: 'Bytes of requests and results kept.',
    labelNames: ['queue'],
    registers: [registry],
  });
  const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames: ['queue', ...labelNames], registers: [registry] });
  const submitted = counter('millrace_jobs_submitted_total', 'Jobs accepted.');
  const finished = counter('millrace_jobs_finished_total', 'Jobs that reached their outcome.', 'outcome');
  const attempts = counter(
    'millrace_attempts_total',
    'Attempts that ended, by outcome and reason.',
    'outcome',
    'reason',
  );
  const tokens = counter(
    'millrace_tokens_total',
    'Tokens the upstream counted: input, output, and cached, which are of the input.',
    'direction',
  );
  const toolCalls = counter('millrace_tool_calls_total', 'Calls of tools that the upstream ran, by type.', 'type');
  const answeredByAnother = counter(
    'millrace_jobs_answered_by_another_total',
    'Jobs that got the answer of an equal request, and made no call.',
  );
  const possiblyBilled = counter(
    'millrace_possibly_billed_total',
    'Attempts whose answer was not read whole and may be on the bill.',
  );
  const crashes = counter(
    'millrace_crashed_attempts_total',
    'Attempts that were under way in a worker process that died.',
  );
  let counters: Counters = new Map();
  const histogram = (name: string, help: string, field: string): void => {
    registry.registerMetric(storedHistogram(name, help, field, () => counters) as never);
  };
  histogram('millrace_job_duration_seconds', 'From submission to outcome.', 'job_seconds');
  histogram('millrace_attempt_duration_seconds', 'From an attempt’s start to its end.', 'attempt_seconds');

  const showLimits = openLimitMetrics(registry);
  const showSpent = openSpentMetrics(registry, store.config.prices);
  const breaker = new Gauge({
    name: 'millrace_breaker_open',
    help: '1 while no call to the upstream starts but probes, 0.5 while calls come back step by step.',
    labelNames: ['upstream'],
    registers: [registry],
  });
  const workers = new Gauge({
    name: 'millrace_workers',
    help: 'Worker processes alive, by the version they told; unknown: they have told none yet. At most 500 are counted.',
    labelNames: ['version'],
    registers: [registry],
  });
  const webhooks = new Gauge({
    name: 'millrace_webhook_deliveries',
    help: 'Deliveries of webhooks: pending, delivered (of the last day, at most 1000) and dead.',
    labelNames: ['status'],
    registers: [registry],
  });

  const refresh = async (): Promise<void> => {
    const [counts, totals, spent, { limits }, breakers, alive, deliveries] = await Promise.all([
      countQueues(store),
      readCounters(store),
      readSpentTotals(store),
      readLimits(store),
      readBreakers(store),
      readWorkers(store),
      countDeliveries(store),
    ]);
    showLimits(limits);
    showSpent(spent);
    for (const [upstream, { state }] of breakers) breaker.set({ upstream }, BREAKER_LEVELS[state]);
    for (const [status, count] of Object.entries(deliveries)) webhooks.set({ status }, count);
    counters = totals;
    for (const metric of [
      jobs,
      paused,
      workers,
      inFlight,
      keptBytes,
      submitted,
      finished,
      attempts,
      tokens,
      toolCalls,
      answeredByAnother,
      possiblyBilled,
      crashes,
    ])
      metric.reset();
    for (const { self } of alive) workers.inc({ version: self?.version ?? 'unknown' });
    for (const { name: queue, paused: isPaused, active, ...states } of counts) {
      paused.set({ queue }, isPaused ? 1 : 0);
      inFlight.set({ queue }, active);
      for (const [state, count] of Object.entries({ active, ...states })) jobs.set({ queue, state }, count);
    }
    for (const [queue, list] of spent) {
      for (const [direction, count] of Object.entries(tokensOf(list))) {
        if (count > 0) tokens.inc({ queue, direction }, count);
      }
    }
    for (const [queue, fields] of totals) {
      keptBytes.set({ queue }, Math.max(0, fields.get('kept_bytes') ?? 0));
      submitted.inc({ queue }, fields.get('submitted') ?? 0);
      possiblyBilled.inc({ queue }, fields.get('possibly_billed') ?? 0);
      crashes.inc({ queue }, fields.get('crashes') ?? 0);
      answeredByAnother.inc({ queue }, fields.get('answered_by_another') ?? 0);
      for (const [field, value] of fields) {
        const [kind, first = '', second = ''] = field.split(':');
        if (kind === 'finished') finished.inc({ queue, outcome: first }, value);
        if (kind === 'attempts') attempts.inc({ queue, outcome: first, reason: second }, value);
        if (kind === 'tool_calls') toolCalls.inc({ queue, type: first }, value);
      }
    }
  };
  return {
    contentType: registry.contentType,
    render: async () => {
      await refresh();
      return registry.metrics();
    },
  };
}

const BREAKER_LEVELS: Record<BreakerState, number> = { closed: 0, half_open: 0.5, open: 1 };

interface Sample {
  metricName: string;
  labels: Record<string, string>;
  value: number;
}

/** A histogram whose buckets are kept in Redis: prom-client can only observe, so this one brings its values along. */
function storedHistogram(name: string, help: string, field: string, read: () => Counters) {
  const bounds = [...LATENCY_BUCKETS_SECONDS.map(String), '+Inf'];
  return {
    name,
    get: async () => {
      const values: Sample[] = [];
      for (const [queue, fields] of read()) {
        let cumulative = 0;
        for (const le of bounds) {
          cumulative += fields.get(`${field}:le:${le}`) ?? 0;
          values.push({ metricName: `${name}_bucket`, labels: { queue, le }, value: cumulative });
        }
        const sum = (fields.get(`${field}:sum_ms`) ?? 0) / 1000;
        values.push({ metricName: `${name}_sum`, labels: { queue }, value: sum });
        values.push({ metricName: `${name}_count`, labels: { queue }, value: cumulative });
      }
      return { name, help, type: 'histogram', values };
    },
  };
}
