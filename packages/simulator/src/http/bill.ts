/** The bill of a call: one line in the ledger once its work is done, and whether its answer arrived. */
import type { Call } from '../calls/call.ts';
import type { BilledOutcome, LedgerEntry } from '../calls/ledger.ts';
import type { Machine } from '../machine.ts';
import { ledgerKey } from '../request/input-text.ts';

/** Writes the call into the ledger: its work is done, though nothing of it may have been delivered yet. */
export function bill(machine: Machine, call: Call, outputTokens: number): void {
  const { request } = call;
  const entry: LedgerEntry = {
    id: call.id,
    api: call.api,
    key: ledgerKey(request.body),
    model: request.model,
    at: call.createdAtMs,
    background: request.background,
    stream: request.stream,
    input_tokens: call.inputTokens,
    cached_tokens: call.cachedTokens,
    output_tokens: outputTokens,
    outcome: call.status as BilledOutcome,
    delivered: false,
  };
  call.entry = entry;
  machine.ledger.add(entry);
  machine.counts.inputTokens += entry.input_tokens;
  machine.counts.outputTokens += entry.output_tokens;
}

/** Marks the call's answer as delivered, once. */
export function markDelivered(machine: Machine, call: Call): void {
  if (!call.entry || call.entry.delivered) return;
  call.entry.delivered = true;
  machine.counts.delivered += 1;
}
