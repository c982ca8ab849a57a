/** Each row of the decision table, driven by a server that misbehaves in exactly that way. */
import type { AttemptReason, Outcome } from '@millrace/core';
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest';
import { DECISIONS, type Row, type RowName } from './decision-table.ts';
import { openUpstream, type Upstream } from './open-upstream.ts';
import { answerScenarios } from './testing/answer-scenarios.ts';
import { connectionScenarios } from './testing/connection-scenarios.ts';
import { answer, type MisbehavingServer, misbehavingServer, until } from './testing/misbehaving-server.ts';
import type { Scenario } from './testing/scenario.ts';
import { statusScenarios } from './testing/status-scenarios.ts';

/** A row without a scenario does not typecheck. */
const SCENARIOS: Record<RowName, Scenario[]> = { ...statusScenarios, ...connectionScenarios, ...answerScenarios };

let upstream: Upstream | null = null;
let server: MisbehavingServer | null = null;
afterEach(async () => {
  await upstream?.close();
  await server?.close();
});

for (const [row, scenarios] of Object.entries(SCENARIOS) as [RowName, Scenario[]][]) {
  describe(`${row}: ${DECISIONS[row].verdict}`, () => {
    test.each(scenarios.map((scenario) => [scenario.name ?? 'as it comes', scenario] as const))(
      '%s',
      async (_, scenario) => {
        server = await misbehavingServer(scenario.server, scenario.onConnect);
        upstream = openUpstream({
          baseURL: scenario.baseURL?.(server) ?? server.baseURL,
          background: 'auto',
          extraFields: [],
          promptCacheKey: true,
          connectSeconds: scenario.connectSeconds ?? 10,
          idleSeconds: scenario.idleSeconds ?? 10,
        });
        const request = {
          body: { model: 'm', input: 'x' },
          type: 'generate',
          timeoutMs: 10_000,
          signal: new AbortController().signal,
          ...scenario.request,
        } as const;
        const { reattachTo } = scenario;
        const outcome = await (reattachTo === undefined
          ? upstream.call(request)
          : upstream.reattach({ ...request, upstreamId: reattachTo, startingAfter: null }));
        expectRow(outcome, row, scenario);
        await until('the connection is free or gone', () => upstream?.stats().running === 0);
      },
    );
  });
}

function expectRow(outcome: Outcome, name: RowName, scenario: Scenario): void {
  const row: Row = DECISIONS[name];
  expect(outcome.kind, JSON.stringify(outcome)).toBe(row.verdict === 'fail' ? 'failed' : 'retry');
  if (outcome.kind !== 'retry' && outcome.kind !== 'failed') return;
  expect({ reason: outcome.reason, billed: outcome.possiblyBilled }, JSON.stringify(outcome)).toEqual({
    reason: row.reason,
    billed: row.billed === 'if sent' ? scenario.billed : row.billed === 'possibly',
  });
  expect(outcome.error.message).toMatch(scenario.message ?? /\S/);
  if (scenario.code !== undefined) expect(outcome.error.code).toBe(scenario.code);
  if (scenario.upstreamId !== undefined) expect(outcome.upstreamId).toBe(scenario.upstreamId);
  if (outcome.kind === 'retry') {
    expect(outcome).toMatchObject({ afterMs: scenario.afterMs ?? 0, countsAsAttempt: row.counts !== false });
  }
}

describe('x-should-retry', () => {
  test.each([
    ['true', 400, 'retry', 'bad_request'],
    ['false', 429, 'failed', 'rate_limited'],
    ['false', 500, 'failed', 'upstream_error'],
    ['perhaps', 500, 'retry', 'upstream_error'],
  ])('"%s" on a %i comes to %s', async (told, status, kind, reason) => {
    server = await misbehavingServer(answer(status, '{}', { 'x-should-retry': told }));
    upstream = openUpstream({
      baseURL: server.baseURL,
      background: 'auto',
      extraFields: [],
      promptCacheKey: true,
      connectSeconds: 1,
      idleSeconds: 1,
    });
    const signal = new AbortController().signal;
    const outcome = await upstream.call({ body: { model: 'm' }, type: 'generate', timeoutMs: 5000, signal });
    expect(outcome).toMatchObject({ kind, reason });
  });
});

test('every reason an attempt can have is a row, or says who stopped it', () => {
  type Told = (typeof DECISIONS)[RowName]['reason'] | 'cancelled' | 'shutdown' | 'lost' | 'crashed';
  expectTypeOf<Exclude<AttemptReason, Told>>().toBeNever();
  for (const row of Object.values(DECISIONS)) expect(row.why.length).toBeGreaterThan(20);
});
