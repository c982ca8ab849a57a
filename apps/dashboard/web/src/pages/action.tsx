/** An action on many jobs: how far it is, what went wrong, what became of the first jobs it made. */
import { useRef, useState } from 'react';
import { Link, useParams } from 'wouter';
import type { ActionDetailView, ActionView } from '../../../src/views/actions.ts';
import { fetchJson } from '../api.ts';
import { formatCount } from '../format.ts';
import { useTopic } from '../live.ts';
import { Ago } from '../parts/ago.tsx';
import { useKeptFocus } from '../parts/keep-focus.ts';
import { Problem } from '../parts/problem.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import { useOperator } from '../session.tsx';
import '../styles/failures.css';

const SKIPS: Readonly<Record<string, string>> = {
  gone: 'gone already',
  not_failed: 'not failed',
  retried: 'retried before',
  in_batch: 'in a batch that goes on',
  in_flow: 'in a flow that goes on',
};

export default function ActionPage() {
  const { id = '' } = useParams<{ id: string }>();
  const isId = /^action_[0-9a-f]{32}$/.test(id);
  const detail = useTopic<ActionDetailView>(isId ? `action:${id}` : null);
  const action = detail?.action ?? null;
  return (
    <>
      <p className="crumbs">
        <Link href="/failures">Failures</Link>
      </p>
      {isId && detail === null && <p className="empty">Loading…</p>}
      {(!isId || detail !== null) && action === null && <p className="empty">There is no such action (any more).</p>}
      {detail !== null && action !== null && <Action action={action} first={detail.first} />}
    </>
  );
}

function Action({ action, first }: { action: ActionView; first: ActionDetailView['first'] }) {
  const { kind, status, what, edit, total, done, made, skipped, failed, skips, errors, held } = action;
  const left = Object.entries(skips).map(([reason, count]) => `${formatCount(count ?? 0)} ${SKIPS[reason] ?? reason}`);
  return (
    <>
      <h1>
        {kind === 'discard' ? 'Discard' : edit === null ? 'Retry' : 'Edit and retry'} {formatCount(total)}{' '}
        {total === 1 ? 'job' : 'jobs'} <StatusBadge status={status} />
      </h1>
      <p className="lead">{what}</p>
      <progress max={total} value={done} aria-label="Progress" />
      <p role="status">
        {formatCount(done)} of {formatCount(total)} done: {formatCount(made)}{' '}
        {kind === 'discard' ? 'discarded' : 'new jobs made'}, {formatCount(skipped)} left alone
        {left.length > 0 && ` (${left.join(', ')})`}, {formatCount(failed)} could not be
        {kind === 'discard' ? ' discarded' : ' made'}.
      </p>
      {held !== null && status === 'running' && <p className="notice warn">It waits. {held}</p>}
      {held !== null && status === 'completed' && <p className="notice warn">{held}</p>}
      {status !== 'completed' && <Buttons action={action} />}
      <p className="muted">
        Started by {action.by ?? 'anybody'} <Ago at={action.createdAt} />
        {action.endedAt !== null && (
          <>
            , ended <Ago at={action.endedAt} />
          </>
        )}
        {edit !== null && ', with this changed:'}
      </p>
      {edit !== null && <pre>{JSON.stringify(edit, null, 2)}</pre>}
      {errors.length > 0 && (
        <>
          <h2>What went wrong</h2>
          <ul className="misses">
            {errors.map(({ id, message }) => (
              <li key={id}>
                <Link href={`/jobs/${id}`} className="id" title={id}>
                  …{id.slice(-8)}
                </Link>{' '}
                {message}
              </li>
            ))}
          </ul>
        </>
      )}
      {first.length > 0 && <First jobs={first} />}
    </>
  );
}

function First({ jobs }: { jobs: ActionDetailView['first'] }) {
  return (
    <>
      <h2>What became of the first</h2>
      <table className="first-made">
        <thead>
          <tr>
            <th scope="col">New job</th>
            <th scope="col">Status</th>
            <th scope="col">Answer or error</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map(({ id, status, error, output }) => (
            <tr key={id}>
              <td>
                <Link href={`/jobs/${id}`} className="id" title={id}>
                  …{id.slice(-8)}
                </Link>
              </td>
              <td data-label="Status">
                <StatusBadge status={status} />
              </td>
              <td className="reason">{error ?? output ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Buttons({ action: { id, status } }: { action: ActionView }) {
  const operator = useOperator();
  const [error, setError] = useState<Error | null>(null);
  const place = useRef<HTMLParagraphElement>(null);
  useKeptFocus(place);
  const verb = status === 'running' ? 'stop' : 'resume';
  const act = async (): Promise<void> => {
    setError(null);
    await fetchJson(`/api/actions/${id}/${verb}`, { method: 'POST' }).catch(setError);
  };
  return (
    <>
      <p className="buttons" ref={place}>
        <button
          type="button"
          disabled={!operator}
          title={operator ? undefined : 'A viewer may look, not change.'}
          onClick={() => void act()}
        >
          {verb === 'stop' ? 'Stop' : 'Resume'}
        </button>
      </p>
      {error !== null && <Problem error={error} />}
    </>
  );
}
