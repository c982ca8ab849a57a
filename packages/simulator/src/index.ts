/** A server of the Responses API and Chat Completions with limits, faults and a ledger: for demo, tests and benchmarks. */
export type { Fault, FaultKind } from './calls/faults.ts';
export type { Api, BilledOutcome, LedgerEntry } from './calls/ledger.ts';
export type { Limits } from './calls/limits.ts';
export type { SimulatorStats } from './machine.ts';
export type { SimulatorOptions } from './options.ts';
export { ledgerKey } from './request/input-text.ts';
export { type Simulator, startSimulator } from './start.ts';
