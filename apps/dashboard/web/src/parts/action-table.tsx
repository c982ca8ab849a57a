/** What is and was done to many jobs at once. */
import { Link } from 'wouter';
import type { ActionView } from '../../../src/views/actions.ts';
import { formatCount } from '../format.ts';
import { Ago } from './ago.tsx';
import { StatusBadge } from './status-badge.tsx';

export function ActionTable({ actions }: { actions: readonly ActionView[] }) {
  return (
    <table className="actions">
      <thead>
        <tr>
          <th scope="col">Action</th>
          <th scope="col">Status</th>
          <th scope="col" className="number">
            Done
          </th>
          <th scope="col">By</th>
          <th scope="col">Started</th>
        </tr>
      </thead>
      <tbody>
        {actions.map(({ id, kind, what, status, done, total, by, createdAt, edit }) => (
          <tr key={id}>
            <td className="reason">
              <Link href={`/actions/${id}`}>
                {kind === 'discard' ? 'Discard' : edit === null ? 'Retry' : 'Edit and retry'}
              </Link>
              <span className="said">{what}</span>
            </td>
            <td data-label="Status">
              <StatusBadge status={status} />
            </td>
            <td className="number" data-label="Done">
              {formatCount(done)} of {formatCount(total)}
            </td>
            <td data-label="By">{by ?? 'anybody'}</td>
            <td className="when" data-label="Started">
              <Ago at={createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
