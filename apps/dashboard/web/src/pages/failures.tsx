/** Failures by their cause, the most frequent first, and what was lately done about them. */
import { Link } from 'wouter';
import type { ActionsView } from '../../../src/views/actions.ts';
import type { FailuresView } from '../../../src/views/failures.ts';
import { formatCount, formatShare } from '../format.ts';
import { useTopic } from '../live.ts';
import { ActionTable } from '../parts/action-table.tsx';
import { Ago } from '../parts/ago.tsx';
import { CauseWords } from '../parts/cause-words.tsx';
import { asSearch, SpanChoice, useSpan, useSpanTopic } from '../parts/span-choice.tsx';
import { Trend } from '../parts/trend.tsx';
import '../styles/failures.css';

export default function FailuresPage() {
  const [span] = useSpan();
  const topic = useSpanTopic('failures', span);
  const failures = useTopic<FailuresView>(topic);
  const actions = useTopic<ActionsView>('actions')?.actions ?? [];
  const queues = (failures?.cohorts ?? []).flatMap((cohort) => Object.keys(cohort.queues));
  return (
    <>
      <h1>Failures</h1>
      <SpanChoice queues={queues} />
      {failures !== null && <Cohorts failures={failures} />}
      {failures === null && topic !== null && <p className="empty">Loading…</p>}
      {actions.length > 0 && (
        <>
          <h2>Recent actions</h2>
          <ActionTable actions={actions} />
        </>
      )}
    </>
  );
}

function Cohorts({ failures: { total, finished, cohorts, trouble, until } }: { failures: FailuresView }) {
  const [span] = useSpan();
  if (trouble !== null) return <p className="notice warn">{trouble}</p>;
  if (cohorts.length === 0) {
    return <p className="empty">{until === null ? 'The jobs are still being read.' : 'No job failed in this span.'}</p>;
  }
  return (
    <>
      <p className="lead">
        {formatCount(total)} {total === 1 ? 'job' : 'jobs'} failed, of {formatCount(cohorts.length)}{' '}
        {cohorts.length === 1 ? 'cause' : 'causes'}: {formatShare(total / Math.max(total, finished))} of the{' '}
        {formatCount(finished)} that ended.
      </p>
      <table className="cohorts">
        <thead>
          <tr>
            <th scope="col">Cause</th>
            <th scope="col" className="number">
              Jobs
            </th>
            <th scope="col">Share</th>
            <th scope="col">Trend</th>
            <th scope="col">Last</th>
          </tr>
        </thead>
        <tbody>
          {cohorts.map(({ cause, count, share, trend, lastAt, example }) => (
            <tr key={cause.id}>
              <td className="reason">
                <Link href={`/failures/${cause.id}?${asSearch(span)}`}>
                  <CauseWords cause={cause} />
                </Link>
                {example !== null && example.message !== cause.message && (
                  <small className="example">
                    e.g. <Link href={`/jobs/${example.id}`}>{example.message || example.id}</Link>
                  </small>
                )}
              </td>
              <td className="number" data-label="Jobs">
                {formatCount(count)}
              </td>
              <td data-label="Share">
                {formatShare(share)}
                <span className="bar">
                  <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                    <rect className="share-failed" width={share * 100} height="4" />
                  </svg>
                </span>
              </td>
              <td data-label="Trend">
                <Trend counts={trend} />
              </td>
              <td className="when" data-label="Last">
                <Ago at={lastAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
