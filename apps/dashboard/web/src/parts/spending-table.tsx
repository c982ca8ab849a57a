/** What was spent, by one thing: dollars, what of them came to nothing, what the upstream's cache saved, and the tokens. */
import type { NamedSpending } from '../../../src/views/cost.ts';
import { formatCount, formatShare, formatUsd } from '../format.ts';
import { formatSpent } from '../spent.ts';

export interface SpendingTableProps {
  title: string;
  /** What a row is: Model. */
  of: string;
  rows: readonly NamedSpending[];
  /** What names stand for that are none. */
  names: Readonly<Record<string, string>>;
}

export function SpendingTable({ title, of, rows, names }: SpendingTableProps) {
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p className="empty">No calls yet.</p>
      ) : (
        <table className="spending" role="table">
          <thead role="rowgroup">
            <tr role="row">
              {[of, 'Spent', 'On failed calls', 'Cache saved', 'Calls', 'Input tokens', 'Output tokens'].map(
                (name, index) => (
                  <th key={name} scope="col" role="columnheader" className={index === 0 ? undefined : 'number'}>
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((row) => (
              <Row key={row.name} row={row} name={nameOf(row.name, names)} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Row({ row, name }: { row: NamedSpending; name: string }) {
  return (
    <tr role="row">
      <th scope="row" role="rowheader">
        <span className="long">{name}</span>
      </th>
      <td role="cell" className="number" data-label="Spent">
        <span className={row.usd === null ? 'warn' : undefined}>{formatSpent(row)}</span>
      </td>
      <td role="cell" className="number" data-label="On failed calls">
        {row.usd === null && row.failedCalls > 0 ? 'unknown' : formatUsd(row.failedUsd)}
      </td>
      <td role="cell" className="number" data-label="Cache saved">
        {row.usd === null && row.cached > 0 ? 'unknown' : formatUsd(row.savedByCachedUsd)}
      </td>
      <td role="cell" className="number" data-label="Calls">
        {formatCount(row.calls)}
        {row.sharedCalls > 0 && <small className="under">+ {formatCount(row.sharedCalls)} shared</small>}
      </td>
      <td role="cell" className="number" data-label="Input tokens">
        {formatCount(row.input)}
        {row.cached > 0 && <small className="under">{formatShare(row.cached / Math.max(1, row.input))} cached</small>}
      </td>
      <td role="cell" className="number" data-label="Output tokens">
        {formatCount(row.output)}
      </td>
    </tr>
  );
}

export function nameOf(name: string, names: Readonly<Record<string, string>>): string {
  return Object.hasOwn(names, name) ? (names[name] as string) : name;
}
