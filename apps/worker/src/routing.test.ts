import type { ConfigInput, Log } from '@millrace/core';
import { expect, it } from 'vitest';
import { testConfig } from '../../../packages/queue/src/testing/store.ts';
import { openRouting } from './routing.ts';

const configOf = (queues: NonNullable<ConfigInput['queues']>, more: ConfigInput = {}) =>
  testConfig({ ...more, queues });

/** A routing, and what it has logged. */
function routingOf(queues: NonNullable<ConfigInput['queues']>) {
  const said: Record<string, unknown>[] = [];
  const say = (fields: Record<string, unknown>): number => said.push(fields);
  return { routing: openRouting(configOf(queues), { info: say, warn: say } as unknown as Log), said };
}

it('route and shadow of the queues there are are taken over, and each change is one line', () => {
  const { routing, said } = routingOf({ q: { route: { responses: 0.1 } }, other: {} });
  routing.take(configOf({ q: { route: { responses: 0.3 }, shadow: { share: 1 } }, other: {} }));
  expect(routing.of('q')).toEqual({ route: { responses: 0.3 }, shadow: { share: 1 } });
  expect(routing.of('other')).toEqual({});
  expect(said).toEqual([
    { queue: 'q', from: '{"route":{"responses":0.1}}', to: '{"route":{"responses":0.3},"shadow":{"share":1}}' },
  ]);
  routing.take(configOf({ q: {}, other: {} }));
  expect(routing.of('q')).toEqual({});
  expect(said).toHaveLength(2);
});

it('what else has changed is named once, and needs a restart', () => {
  const { routing, said } = routingOf({ q: {}, gone: {} });
  const next = configOf(
    { q: { attempts: 2, route: { responses: 0.5 } }, fresh: {} },
    { limits: { default: { inFlight: 3 } }, retention: { seconds: 5 } },
  );
  routing.take(next);
  routing.take(next);
  expect(routing.of('q')).toEqual({ route: { responses: 0.5 } });
  expect(routing.of('fresh')).toEqual({});
  const named = said.filter(({ keys }) => keys !== undefined);
  expect(named).toHaveLength(1);
  expect(String(named[0]?.keys).split(', ').sort()).toEqual([
    ...['limits.default', 'queues.fresh', 'queues.gone', 'queues.q', 'retention.seconds'],
  ]);
});
