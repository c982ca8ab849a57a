/** The failures of one cause: since when, where, the newest of them, and what can be done about all. */
import { Link, useParams } from 'wouter';
import type { CohortDetailView, CohortView } from '../../../src/views/failures.ts';
import { formatCount, formatShare } from '../format.ts';
import { jobsAddress } from '../jobs-address.ts';
import { useTopic } from '../live.ts';
import { Ago } from '../parts/ago.tsx';
import { CauseWords } from '../parts/cause-words.tsx';
import { OrderForm } from '../parts/order-form.tsx';
import { asSearch, SpanChoice, useSpan, useSpanTopic } from '../parts/span-choice.tsx';
import { Trend } from '../parts/trend.tsx';
import '../styles/failures.css';

export default function CohortPage() {
  const { cause = '' } = useParams<{ cause: string }>();
  const [span] = useSpan();
  const isId = /^[0-9a-f]{16}$/.test(cause);
  const topic = useSpanTopic('cohort', span);
  const detail = useTopic<CohortDetailView>(isId && topic !== null ? `${topic}:${cause}` : null);
  return (
    <>
      <p className="crumbs">
        <Link href={`/failures?${asSearch(span)}`}>Failures</Link>
      </p>
      <h1>{detail?.cohort == null ? 'A cause of failures' : <CauseWords cause={detail.cohort.cause} />}</h1>
      <SpanChoice queues={Object.keys(detail?.cohort?.queues ?? {})} />
      {!isId && <p className="empty">There is no such cause.</p>}
      {isId && topic !== null && detail === null && <p className="empty">Loading…</p>}
      {detail !== null && detail.trouble !== null && <p className="notice warn">{detail.trouble}</p>}
      {detail !== null && detail.trouble === null && detail.cohort === null && (
        <p className="empty">No job failed of this cause in this span.</p>
      )}
      {detail?.cohort != null && <Cohort cohort={detail.cohort} jobs={detail.jobs} />}
    </>
  );
}

function Cohort({ cohort, jobs }: { cohort: CohortView; jobs: CohortDetailView['jobs'] }) {
  const { count, retried, share, trend, firstAt, lastAt, queues, models } = cohort;
  return (
    <>
      <dl className="facts">
        <div>
          <dt>Jobs</dt>
          <dd>
            {formatCount(count)}, {formatShare(share)} of all failures
            {retried > 0 && `, ${formatCount(retried)} retried since`}
          </dd>
        </div>
        <div>
          <dt>Trend</dt>
          <dd>
            <Trend counts={trend} />
          </dd>
        </div>
        <div>
          <dt>First and last</dt>
          <dd>
            <Ago at={firstAt} />, <Ago at={lastAt} />
          </dd>
        </div>
        <div>
          <dt>Queues</dt>
          <dd>{counted(queues)}</dd>
        </div>
        <div>
          <dt>Models</dt>
          <dd>{counted(models)}</dd>
        </div>
      </dl>
      <OrderForm cohort={cohort} />
      <h2>The newest</h2>
      <table className="cohort-jobs">
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">Queue</th>
            <th scope="col">Model</th>
            <th scope="col" className="number">
              Attempts
            </th>
            <th scope="col">Failed</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map(({ id, queue, model, attempts, finishedAt, message }) => (
            <tr key={id}>
              <td className="reason">
                <Link href={`/jobs/${id}`} className="id" title={id}>
                  …{id.slice(-8)}
                </Link>
                <span className="said">{message}</span>
              </td>
              <td data-label="Queue">{queue}</td>
              <td data-label="Model">{model ?? '–'}</td>
              <td className="number" data-label="Attempts">
                {attempts}
              </td>
              <td className="when" data-label="Failed">
                <Ago at={finishedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {count > jobs.length && (
        <p>
          <Link href={jobsAddress({ status: 'failed', code: cohort.cause.code })}>
            All failed jobs with the code <code>{cohort.cause.code}</code>
          </Link>
        </p>
      )}
    </>
  );
}

function counted(counts: Readonly<Record<string, number>>): string {
  const names = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return names.map(([name, count]) => `${name} ${formatCount(count)}`).join(', ') || '–';
}
