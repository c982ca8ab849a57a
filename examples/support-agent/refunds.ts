/**
 * The shop's refunds, a JSON file an order: an order is paid back once, whoever asks and however often, also by two
 * workers at a time and through a crash at any moment.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Refund {
  order_id: string;
  amount: number;
  currency: string;
  reason: string;
  /** Of the call that made it. */
  idempotency_key: string;
}

/** @throws Error where the order was paid back by another call */
export function refundOnce(folder: string, refund: Refund): Refund {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `order-${refund.order_id}.json`);
  const draft = `${file}.${process.pid}.draft`;
  writeFileSync(draft, `${JSON.stringify(refund, null, 2)}\n`);
  try {
    // Appears whole or not at all, and never in the place of another one.
    linkSync(draft, file);
    return refund;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const made = JSON.parse(readFileSync(file, 'utf8')) as Refund;
  if (made.idempotency_key === refund.idempotency_key) return made;
  throw new Error(`order ${refund.order_id} has been paid back already: ${made.amount} ${made.currency}`);
}
