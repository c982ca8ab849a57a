/** The prices that a cost was made of, of when they are, and where they are set. */
import type { CostView, ModelSpending } from '../../../src/views/cost.ts';
import { formatUsd } from '../format.ts';
import { nameOf } from './spending-table.tsx';

export interface PriceTableProps {
  models: readonly ModelSpending[];
  names: Readonly<Record<string, string>>;
  table: CostView['table'];
}

export function PriceTable({ models, names, table }: PriceTableProps) {
  return (
    <section aria-label="Prices">
      <h2>Prices</h2>
      <p className="lead">
        US dollars per million tokens: OpenAI’s list prices of <strong id="price-date">{table.date}</strong>, as
        published at <a href={table.from}>{table.from}</a>. Other prices, and those of models that are not in that list,
        are set as <code>prices</code> in <code>millrace.config</code>; they come first. What is past is shown at the
        prices of now.
      </p>
      {models.length > 0 && (
        <table className="prices" role="table">
          <thead role="rowgroup">
            <tr role="row">
              {['Model', 'Input', 'Cached input', 'Output', 'From'].map((name, index) => (
                <th
                  key={name}
                  scope="col"
                  role="columnheader"
                  className={index >= 1 && index <= 3 ? 'number' : undefined}
                >
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {models.map(({ name, price }) => (
              <tr key={name} role="row">
                <th scope="row" role="rowheader">
                  {nameOf(name, names)}
                </th>
                <td role="cell" className="number" data-label="Input">
                  {formatUsd(price?.input ?? null)}
                </td>
                <td role="cell" className="number" data-label="Cached input">
                  {price === null ? 'unknown' : price.cachedInput === null ? 'as input' : formatUsd(price.cachedInput)}
                </td>
                <td role="cell" className="number" data-label="Output">
                  {formatUsd(price?.output ?? null)}
                </td>
                <td role="cell" data-label="From">
                  {price === null ? (
                    <span className="badge warn">no price</span>
                  ) : price.from === 'table' ? (
                    'list price'
                  ) : (
                    'configuration'
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
