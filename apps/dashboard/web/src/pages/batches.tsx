/** The batches, newest first: how far each is, when it will be done, what it costs. The first page is live. */
import { Link } from 'wouter';
import type { BatchesView, BatchRow } from '../../../src/views/batches.ts';
import { formatCount } from '../format.ts';
import { Ago } from '../parts/ago.tsx';
import { ColumnHeads } from '../parts/column-heads.tsx';
import { ListPage, OlderLink } from '../parts/list-page.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { formatSpend } from '../parts/spend.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import { Until } from '../parts/until.tsx';
import '../styles/batches.css';

export default function BatchesPage() {
  return <ListPage<BatchesView> name="batches" title="Batches" table={(view) => <BatchTable view={view} />} />;
}

function BatchTable({ view: { batches, more } }: { view: BatchesView }) {
  if (batches.length === 0) {
    return (
      <p className="empty">
        No batches yet. A batch is made by <code>POST /v1/batches</code>, of a file with a request a line.
      </p>
    );
  }
  return (
    <>
      <table className="batches" aria-labelledby="batches">
        <ColumnHeads heads={['Batch', 'Status', 'Progress', 'Done', 'Created', 'Cost so far']} />
        <tbody>
          {batches.map((batch) => (
            <Row key={batch.id} batch={batch} />
          ))}
        </tbody>
      </table>
      <OlderLink name="batches" last={more ? batches.at(-1)?.id : undefined} />
    </>
  );
}

function Row({ batch }: { batch: BatchRow }) {
  const { id, status, total, completed, failed } = batch;
  return (
    <tr>
      <th scope="row">
        <Link href={`/batches/${id}`} className="id" aria-label={`Batch …${id.slice(-12)}`}>
          …{id.slice(-12)}
        </Link>
        <small className="under">
          {batch.queue} · {batch.endpoint}
        </small>
      </th>
      <td data-label="Status">
        <StatusBadge status={status} />
      </td>
      <td data-label="Progress" className="done">
        {total === 0 ? (
          <span className="none">not read yet</span>
        ) : (
          <>
            {formatCount(completed)} of {formatCount(total)} completed
            {failed > 0 && <span className="bad"> · {formatCount(failed)} failed</span>}
            <ProgressBar total={total} completed={completed} failed={failed} />
          </>
        )}
      </td>
      <td data-label="Done">
        <Done batch={batch} />
      </td>
      <td data-label="Created">
        <Ago at={batch.created_at} />
        <small className="under">window {batch.completion_window}</small>
      </td>
      <td data-label="Cost so far" className="number">
        {formatSpend(batch.spend)}
      </td>
    </tr>
  );
}

/** When it ended, or will. */
export function Done({ batch }: { batch: BatchRow }) {
  if (batch.ended_at !== null) return <Ago at={batch.ended_at} />;
  const late = batch.done_at !== null && batch.done_at > batch.expires_at;
  return (
    <>
      {batch.done_at === null ? <span className="none">not known yet</span> : <Until at={batch.done_at} />}
      <small className={late ? 'under warn' : 'under'}>
        {late ? 'after its window ends, ' : 'window ends '}
        <Until at={batch.expires_at} />
      </small>
    </>
  );
}
