/** What the agent can do. Workers run these functions when the model calls them; what they throw is told to the model. */
import { resolve } from 'node:path';
import { tool } from '@millrace/core';
import { z } from 'zod';
import help from './data/help.json' with { type: 'json' };
import orders from './data/orders.json' with { type: 'json' };
import { refundOnce } from './refunds.ts';

/** Beside what Millrace itself keeps. */
const REFUNDS = resolve(process.env.MILLRACE_DATA || '.millrace', 'refunds');

function orderOf(id: string) {
  const order = orders.find((one) => one.id === id);
  if (order === undefined) throw new Error(`there is no order ${id}`);
  return order;
}

export const look_up_order = tool({
  description: 'An order: what was bought, what it cost, whether it has arrived.',
  parameters: z.object({ order_id: z.string() }),
  run: ({ order_id }) => orderOf(order_id),
});

export const refund_order = tool({
  description: 'Pays the whole of an order back.',
  parameters: z.object({ order_id: z.string(), reason: z.string() }),
  // The key is the same when this very call is made again after a crash: what was paid back then is told again.
  run: ({ order_id, reason }, { idempotencyKey }) => {
    const { total, currency } = orderOf(order_id);
    const refund = { order_id, amount: total, currency, reason, idempotency_key: idempotencyKey };
    const { amount } = refundOnce(REFUNDS, refund);
    return { order_id, paid_back: amount, currency };
  },
});

export const search_help = tool({
  description: 'The pages of the help centre that have most of the keywords.',
  parameters: z.object({ keywords: z.string() }),
  run: ({ keywords }) => {
    const words = keywords.toLowerCase().match(/\p{L}{3,}/gu) ?? [];
    const found = help.map((page) => {
      const text = `${page.title} ${page.text}`.toLowerCase();
      return { page, hits: words.filter((word) => text.includes(word)).length };
    });
    const pages = found.filter(({ hits }) => hits > 0).sort((a, b) => b.hits - a.hits);
    return pages.length === 0 ? 'No page has any of these words.' : pages.slice(0, 2).map(({ page }) => page);
  },
});
