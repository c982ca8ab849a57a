/** The jobs of a step, a page at a time: what each said or failed of. Read again when more of them have ended. */
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { StepCard, StepJobRow, StepJobsView } from '../../../src/views/flows.ts';
import { useFetched } from '../api.ts';
import { formatCount } from '../format.ts';
import { ColumnHeads } from './column-heads.tsx';
import { Problem } from './problem.tsx';
import { StatusBadge } from './status-badge.tsx';

/** A step of so many jobs is read again as it goes on; a larger one when its reader asks. */
const FOLLOWED_MOST = 50;

export function StepJobs({ flow, card }: { flow: string; card: StepCard }) {
  const { name, total, ended, status } = card;
  const [onlyFailed, setOnlyFailed] = useState((card.failed ?? 0) > 0);
  const [from, setFrom] = useState(0);
  const path = `/api/flows/${flow}/steps/${encodeURIComponent(name)}?from=${from}${onlyFailed ? '&failed=1' : ''}`;
  const { data, error, again } = useFetched<StepJobsView>(path);
  const moved = total <= FOLLOWED_MOST ? `${status} ${ended} ${total}` : '';
  const seen = useRef(moved);
  useEffect(() => {
    if (seen.current === moved) return;
    seen.current = moved;
    again();
  }, [moved, again]);
  const show = (failedToo: boolean): void => {
    setOnlyFailed(failedToo);
    setFrom(0);
  };
  return (
    <section aria-labelledby="jobs">
      <h2 id="jobs">
        Jobs of <bdi>{name}</bdi>
      </h2>
      <p className="choices">
        <button type="button" aria-pressed={!onlyFailed} onClick={() => show(false)}>
          All {formatCount(total)}
        </button>{' '}
        <button type="button" aria-pressed={onlyFailed} onClick={() => show(true)}>
          Only those that failed
        </button>{' '}
        {total > FOLLOWED_MOST && (
          <button type="button" onClick={again}>
            Read again
          </button>
        )}
      </p>
      {error !== null && <Problem error={error} again={again} />}
      {data !== null && <JobTable view={data} />}
      <p className="choices">
        {from > 0 && (
          <button type="button" onClick={() => setFrom(0)}>
            From the beginning
          </button>
        )}{' '}
        {data?.next != null && (
          <button type="button" onClick={() => setFrom(data.next ?? 0)}>
            On from {formatCount(data.next)}
          </button>
        )}
      </p>
    </section>
  );
}

function JobTable({ view: { jobs, next } }: { view: StepJobsView }) {
  if (jobs.length === 0) return <p className="empty">None{next !== null && ' so far down the list'}.</p>;
  return (
    <table className="step-jobs" aria-labelledby="jobs">
      <ColumnHeads heads={['Index', 'Job', 'Status', 'What it said']} />
      <tbody>
        {jobs.map((job) => (
          <Row key={job.id} job={job} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ job: { index, id, status, error, said } }: { job: StepJobRow }) {
  return (
    <tr>
      <td data-label="Index">{formatCount(index)}</td>
      <td data-label="Job">
        <Link className="id" href={`/jobs/${id}`} aria-label={`Job …${id.slice(-8)}`}>
          …{id.slice(-8)}
        </Link>
      </td>
      <td data-label="Status">
        <StatusBadge status={status ?? 'gone'} />
      </td>
      <td className="reason">
        {error !== null && (
          <>
            <code>{error.code}</code> <bdi>{error.message}</bdi>
          </>
        )}
        {error === null && said !== null && <bdi className="said">{said}</bdi>}
        {error === null && said === null && status === 'completed' && <span className="none">long; see the job</span>}
      </td>
    </tr>
  );
}
