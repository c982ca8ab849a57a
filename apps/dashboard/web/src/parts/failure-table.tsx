/** The last jobs that failed: when, where and why. */
import { Link } from 'wouter';
import type { FailureView } from '../../../src/views/overview.ts';
import { Ago } from './ago.tsx';

/** The last hex digits tell jobs apart; the first ones are the queue's. */
const ID_TAIL = 8;

export function FailureTable({ failures }: { failures: readonly FailureView[] }) {
  if (failures.length === 0) return <p className="empty">No job has failed.</p>;
  return (
    <table className="failures" aria-label="The last failures">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Queue</th>
          <th scope="col">Model</th>
          <th scope="col">Reason</th>
          <th scope="col" className="number">
            Attempts
          </th>
          <th scope="col">Job</th>
        </tr>
      </thead>
      <tbody>
        {failures.map(({ id, queue, model, finishedAt, code, message, attempts }) => (
          <tr key={id}>
            <td className="when">
              <Ago at={finishedAt} />
            </td>
            <td data-label="Queue">{queue}</td>
            <td data-label="Model">
              <bdi>{model ?? '–'}</bdi>
            </td>
            <td className="reason">
              <code>{code}</code>{' '}
              <bdi className="line" title={message}>
                {message}
              </bdi>
            </td>
            <td className="number" data-label="Attempts">
              {attempts}
            </td>
            <td>
              <Link className="id" href={`/jobs/${id}`} aria-label={`Job …${id.slice(-ID_TAIL)}`}>
                …{id.slice(-ID_TAIL)}
              </Link>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
