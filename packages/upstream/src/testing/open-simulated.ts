/** For tests only: upstreams over a simulator, all closed when the test is over. */
import type { Outcome, UpstreamConfig } from '@millrace/core';
import { type Simulator, type SimulatorOptions, startSimulator } from '@millrace/simulator';
import { onTestFinished } from 'vitest';
import type { Started } from '../background-response.ts';
import type { CallRequest } from '../call.ts';
import { openUpstream, type Upstream } from '../open-upstream.ts';
import type { ReattachRequest } from '../reattach.ts';
import { settings } from './open.ts';

export interface Simulated {
  simulator: Simulator;
  /** A further upstream over the same simulator, as another process would open it. */
  another(): Upstream;
  upstream: Upstream;
  /** Every response that was told as started, by any call. */
  started: Started[];
  /** A call in the background. */
  call(input: string, request?: Partial<CallRequest>): Promise<Outcome>;
  reattach(upstream: Upstream, request: Partial<ReattachRequest>): Promise<Outcome>;
}

export async function openSimulated(
  options: SimulatorOptions = {},
  config: Partial<UpstreamConfig> = {},
): Promise<Simulated> {
  const simulator = await startSimulator(options);
  const opened: Upstream[] = [];
  onTestFinished(async () => {
    for (const upstream of opened) await upstream.close();
    await simulator.close();
  });
  const another = (): Upstream => {
    const upstream = openUpstream({ ...settings(simulator.url), background: 'on', ...config });
    opened.push(upstream);
    return upstream;
  };
  const started: Started[] = [];
  const upstream = another();
  const base = { type: 'generate', timeoutMs: 20_000 } as const;
  return {
    simulator,
    another,
    upstream,
    started,
    call: (input, request = {}) =>
      upstream.call({
        ...base,
        body: { model: 'gpt-5', input },
        signal: new AbortController().signal,
        background: { onStarted: (response) => void started.push(response) },
        ...request,
      }),
    reattach: (by, request) =>
      by.reattach({
        ...base,
        body: { model: 'gpt-5', input: 'x' },
        signal: new AbortController().signal,
        upstreamId: 'resp_1',
        startingAfter: null,
        ...request,
      }),
  };
}
