/** The upstream of `bench limits`: the simulator in a process of its own, with limits, asked and told over HTTP. */
import type { LedgerEntry, Limits, SimulatorOptions, SimulatorStats } from '@millrace/simulator';
import { call } from '../../harness/http.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../simulator-process.ts';

export const REQUESTS_PER_MINUTE = 3000;
export const TOKENS_PER_MINUTE = 600_000;
export const LIMITS = { requestsPerMinute: REQUESTS_PER_MINUTE, tokensPerMinute: TOKENS_PER_MINUTE, burstSeconds: 1 };
export const MODEL = 'bench';
/** An answer takes this long, ms. */
const LATENCY_MS: [number, number] = [150, 250];

export interface LimitedUpstream extends SimulatorProcess {
  stats(): Promise<SimulatorStats>;
  /** Every call it has answered. */
  ledger(): Promise<LedgerEntry[]>;
  /** Every bucket starts full. */
  setLimits(limits: Limits): Promise<void>;
}

/** Starts it with 3,000 requests and 600,000 tokens a minute and a second of burst, unless told otherwise. */
export async function startLimitedUpstream(options: SimulatorOptions = {}): Promise<LimitedUpstream> {
  const simulator = await startSimulatorProcess({ latencyMs: LATENCY_MS, limits: LIMITS, ...options });
  const control = `${new URL(simulator.url).origin}/simulator`;
  return {
    ...simulator,
    stats: async () => (await call<SimulatorStats>('GET', `${control}/stats`)).body,
    ledger: async () => {
      const { text } = await call('GET', `${control}/ledger`);
      return text === ''
        ? []
        : text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as LedgerEntry);
    },
    setLimits: async (limits) => {
      const { status, text } = await call('PUT', `${control}/limits`, limits);
      if (status !== 200) throw new Error(text);
    },
  };
}
