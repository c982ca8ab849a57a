/** What was spent: read from the rollups of days, priced by the one table of prices and what is configured beside it. */
import { readDays, type SpentFigures, type Store } from '@millrace/queue';
import { findPrice, PRICES_DATE, PRICES_FROM } from '@millrace/upstream';
import { type Prices, sumSpent } from './sum-spent.ts';
import type { CostView, ModelSpending, NamedSpending } from './views/cost.ts';

const DAY_MS = 86_400_000;
const ROWS_MOST = 100;

/** Days since 1970, UTC. */
export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS);

/**
 * What was spent on one day, as far as it has a price.
 * @param day since 1970, UTC: `dayOf(Date.now())` is today
 */
export async function spendOfDay(
  store: Store,
  day: number,
): Promise<{ usd: number; unknownTokens: number; failedUsd: number; unreadCalls: number }> {
  const days = await readDays(store, [...store.queues.values()], day, day);
  const spent = [...days.values()].flatMap((of) => of.flatMap((one) => one.spent));
  const { usd, unknownTokens, failedUsd, unreadCalls } = sumSpent(spent, store.config.prices);
  return { usd: usd ?? 0, unknownTokens, failedUsd, unreadCalls };
}

/** @param days how many, the last of them today */
export async function readCost(store: Store, days: number): Promise<CostView> {
  const { prices } = store.config;
  const today = dayOf(Date.now());
  const read = await readDays(store, [...store.queues.values()], today - days + 1, today);
  const all = [...read].flatMap(([queue, list]) =>
    list.flatMap(({ day, spent }) => spent.map((one) => ({ ...one, queue, day }))),
  );
  const models = namedBy(all, ({ model }) => model, prices);
  return {
    days,
    total: sumSpent(all, prices),
    byDay: Array.from({ length: days }, (_, index) => {
      const day = today - days + 1 + index;
      const name = new Date(day * DAY_MS).toISOString().slice(0, 10);
      return {
        name,
        ...sumSpent(
          all.filter((one) => one.day === day),
          prices,
        ),
      };
    }),
    byModel: models.slice(0, ROWS_MOST).map((row) => ({ ...row, price: priceView(row.name, prices) })),
    byQueue: namedBy(all, ({ queue }) => queue, prices).slice(0, ROWS_MOST),
    byKey: namedBy(all, ({ key }) => key, prices).slice(0, ROWS_MOST),
    modelsLeftOut: Math.max(0, models.length - ROWS_MOST),
    table: { date: PRICES_DATE, from: PRICES_FROM },
  };
}

type Placed = SpentFigures & { queue: string; day: number };

function namedBy(all: readonly Placed[], nameOf: (one: Placed) => string, prices: Prices): NamedSpending[] {
  const rows = [...Map.groupBy(all, nameOf)].map(([name, list]) => ({ name, ...sumSpent(list, prices) }));
  const tokens = ({ input, output }: NamedSpending): number => input + output;
  return rows.sort((a, b) => (b.usd ?? -1) - (a.usd ?? -1) || tokens(b) - tokens(a));
}

function priceView(model: string, prices: Prices): ModelSpending['price'] {
  const known = findPrice(model, prices);
  if (known === null) return null;
  const { input, cachedInput = null, output } = known.price;
  return { input, cachedInput, output, from: known.from };
}
