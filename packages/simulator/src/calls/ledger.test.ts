import { expect, test } from 'vitest';
import { createLedger, type LedgerEntry } from './ledger.ts';

function entry(id: string): LedgerEntry {
  return {
    id,
    api: 'responses',
    key: id,
    model: 'gpt-5',
    at: 0,
    background: false,
    stream: false,
    input_tokens: 1,
    cached_tokens: 0,
    output_tokens: 1,
    outcome: 'completed',
    delivered: false,
  };
}

test('the newest entries are kept in order, and all are counted', () => {
  const ledger = createLedger(3);
  for (const id of ['a', 'b', 'c', 'd', 'e']) ledger.add(entry(id));
  expect(ledger.entries().map(({ id }) => id)).toEqual(['c', 'd', 'e']);
  expect(ledger.billed).toBe(5);
});
