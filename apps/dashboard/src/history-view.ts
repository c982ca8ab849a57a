/** The last hour as lines: what ended, and tokens a minute beside what the limits let through. */
import type { Config } from '@millrace/core';
import { groupOf, type MinuteFigures } from '@millrace/queue';
import type { Figures } from './snapshot.ts';
import { lastMinute } from './throughput.ts';
import type { HistoryView } from './views/overview.ts';

/** Lines of tokens beyond are those of models hardly used. */
const MODELS_SHOWN = 4;

/** The present minute is shown as the 60 seconds up to now: half a minute would look like a fall. */
export function historyView(config: Config, figures: Figures | null): HistoryView {
  if (figures === null) return { times: [], completed: [], failed: [], tokens: [] };
  const { minutes, limits } = figures;
  const queues = [...minutes];
  const line = (of: (queue: string, minute: MinuteFigures) => number): number[] => {
    const sums: number[] = [];
    for (const [queue, ofQueue] of queues) {
      for (const [index, minute] of ofQueue.entries()) {
        const last = index === ofQueue.length - 1;
        const value = last ? lastMinute(ofQueue, limits.now, (one) => of(queue, one)) : of(queue, minute);
        sums[index] = (sums[index] ?? 0) + value;
      }
    }
    return sums.map(Math.round);
  };
  const lines = new Map<string, { model: string; limit: number | null; limitName: string }>();
  for (const [queue, ofQueue] of queues) {
    for (const model of new Set(ofQueue.flatMap(({ tokens }) => Object.keys(tokens)))) {
      const { group, limitName } = groupOfModel(config, queue, model);
      const status = limits.limits.find(({ name }) => name === limitName)?.groups.find((one) => one.group === group);
      const limit = status?.tokens.limit ?? null;
      lines.set(`${limitName} ${group}`, { model: group, limit: limit === null ? null : Math.floor(limit), limitName });
    }
  }
  const tokens = [...lines.values()].map(({ model, limit, limitName }) => {
    const values = line((queue, minute) =>
      Object.entries(minute.tokens).reduce((sum, [name, { input, output }]) => {
        const of = groupOfModel(config, queue, name);
        return of.group === model && of.limitName === limitName ? sum + input + output : sum;
      }, 0),
    );
    return { model, limit, values };
  });
  const total = ({ values }: { values: readonly number[] }): number => values.reduce((sum, value) => sum + value, 0);
  const [, ofFirst = []] = queues[0] ?? [];
  return {
    times: ofFirst.map(({ minute }) => minute * 60),
    completed: line((_, { finished }) => finished.completed + finished.incomplete),
    failed: line((_, { finished }) => finished.failed),
    tokens: tokens.sort((a, b) => total(b) - total(a)).slice(0, MODELS_SHOWN),
  };
}

function groupOfModel(config: Config, queue: string, model: string): { group: string; limitName: string } {
  const limitName = config.queues[queue]?.limit ?? '';
  const terms = config.limits[limitName];
  return { limitName, group: terms === undefined ? model : groupOf(terms, model) };
}
