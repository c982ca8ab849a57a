/** The batches, newest first: how far each is, when it will be done, what it costs. The first page is live. */
import { Link, useSearchParams } from 'wouter';
import type { BatchesView, BatchRow } from '../../../src/views/batches.ts';
import { useFetched } from '../api.ts';
import { formatCount } from '../format.ts';
import { useTopic } from '../live.ts';
import { Ago } from '../parts/ago.tsx';
import { Problem } from '../parts/problem.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { formatSpend } from '../parts/spend.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import { Until } from '../parts/until.tsx';
import '../styles/batches.css';

export default function BatchesPage() {
  const after = useSearchParams()[0].get('after');
  return (
    <>
      {after !== null && (
        <p className="crumbs">
          <Link href="/batches">The newest batches</Link>
        </p>
      )}
      <h1 id="batches">Batches</h1>
      {after === null ? <Newest /> : <Older after={after} />}
    </>
  );
}

function Newest() {
  const view = useTopic<BatchesView>('batches');
  return view === null ? <p className="empty">Loading…</p> : <BatchTable view={view} />;
}

function Older({ after }: { after: string }) {
  const { data, error, again } = useFetched<BatchesView>(`/api/batches?after=${encodeURIComponent(after)}`);
  if (error !== null) return <Problem error={error} again={again} />;
  return data === null ? <p className="empty">Loading…</p> : <BatchTable view={data} />;
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
        <thead>
          <tr>
            {['Batch', 'Status', 'Progress', 'Done', 'Created', 'Cost so far'].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {batches.map((batch) => (
            <Row key={batch.id} batch={batch} />
          ))}
        </tbody>
      </table>
      {more && (
        <p>
          <Link href={`/batches?after=${encodeURIComponent(batches.at(-1)?.id ?? '')}`}>Older batches</Link>
        </p>
      )}
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
