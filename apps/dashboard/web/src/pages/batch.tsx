/** One batch: how far it is and how fast, what it costs, what failed of it, and its files. Live. */
import { Link } from 'wouter';
import type { BatchDetails, BatchFailures, BatchRow, BatchView, FailedCode } from '../../../src/views/batches.ts';
import { formatCount, formatTime, formatUsd } from '../format.ts';
import { jobsAddress } from '../jobs-address.ts';
import { useTopic } from '../live.ts';
import { ActButton } from '../parts/act-button.tsx';
import { Ago } from '../parts/ago.tsx';
import { FoundPage, NoticeOfAge } from '../parts/found-page.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Spend } from '../parts/spend.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import { Done } from './batches.tsx';
import '../styles/batches.css';

const CANCELLABLE = ['validating', 'in_progress'];
const FILES = [
  ['output', 'Output'],
  ['errors', 'Errors'],
  ['input', 'Input'],
] as const;

export default function BatchPage() {
  return <FoundPage list="batches" called="Batch" page={(id) => <Live key={id} id={id} />} />;
}

function Live({ id }: { id: string }) {
  const view = useTopic<BatchView>(`batch:${id}`);
  if (view === null) return <p className="empty">Loading…</p>;
  const { batch, details, failures, gone, stale } = view;
  if (batch === undefined) {
    return (
      <p className="notice warn">{gone ? 'It is not kept any more.' : 'It could not be read yet; trying again.'}</p>
    );
  }
  return (
    <>
      <p className="crumbs">
        <Link href="/batches">All batches</Link> · <Link href={jobsAddress({ batch: id })}>Its jobs</Link>
      </p>
      <h1>
        Batch <span className="id">{id}</span> <StatusBadge status={batch.status} />
      </h1>
      <NoticeOfAge called="batch" gone={gone} stale={stale} />
      <Progress batch={batch} enqueued={details.enqueued} />
      <Facts batch={batch} details={details} />
      {CANCELLABLE.includes(batch.status) && (
        <ActButton
          text="Cancel the batch"
          path={`/api/batches/${id}/cancel`}
          sure="Requests that have not been answered will not be; what is answered goes into its files."
        />
      )}
      <Files id={id} files={details.files} over={batch.ended_at !== null} />
      <Failures id={id} failures={failures} failed={batch.failed} />
      {details.metadata !== null && <Metadata metadata={details.metadata} />}
    </>
  );
}

function Progress({ batch, enqueued }: { batch: BatchRow; enqueued: number }) {
  const { total, completed, failed, per_minute } = batch;
  const open = Math.max(0, total - completed - failed);
  return (
    <div className="panel large-progress">
      <p id="progress">
        {total === 0 ? (
          'Its input was not read yet.'
        ) : (
          <>
            <strong>
              {formatCount(completed)} of {formatCount(total)} completed
            </strong>
            {failed > 0 && <span className="bad"> · {formatCount(failed)} failed</span>}
            {open > 0 && batch.ended_at === null && ` · ${formatCount(open)} open`}
            {enqueued < total && open > 0 && batch.ended_at === null && ` (${formatCount(enqueued)} are jobs by now)`}
          </>
        )}
      </p>
      <ProgressBar total={total} completed={completed} failed={failed} />
      {per_minute !== null && (
        <p className="muted" id="rate">
          {formatCount(per_minute)} a minute
        </p>
      )}
    </div>
  );
}

function Facts({ batch, details }: { batch: BatchRow; details: BatchDetails }) {
  return (
    <dl className="facts">
      <div>
        <dt>{batch.ended_at === null ? 'Will be done' : 'Ended'}</dt>
        <dd>
          <Done batch={batch} />
        </dd>
      </div>
      <div>
        <dt>Cost {batch.ended_at === null && 'so far'}</dt>
        <dd id="cost">
          <Spend spend={batch.spend} />
        </dd>
      </div>
      {batch.ended_at === null && (
        <div>
          <dt>Cost expected in all</dt>
          <dd id="expected">
            {batch.expected_usd === null ? 'unknown' : `about ${formatUsd(batch.expected_usd)}`}
            <small className="under">if the rest is like what has ended</small>
          </dd>
        </div>
      )}
      <div>
        <dt>Queue</dt>
        <dd>
          {batch.queue} <small>priority {details.priority}</small>
          <small className="under">{batch.endpoint}</small>
        </dd>
      </div>
      {details.model !== null && (
        <div>
          <dt>Model</dt>
          <dd>
            <bdi>{details.model}</bdi>
          </dd>
        </div>
      )}
      {details.turned.map(([status, at]) => (
        <div key={status}>
          <dt className="turned">{status.replaceAll('_', ' ')}</dt>
          <dd>
            <Ago at={at} />
            <small className="under">{formatTime(at)}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Files({ id, files, over }: { id: string; files: BatchDetails['files']; over: boolean }) {
  return (
    <section aria-labelledby="files">
      <h2 id="files">Files</h2>
      <ul className="files">
        {FILES.map(([kind, text]) => (
          <li key={kind}>
            {files[kind] ? (
              <a href={`/api/batches/${id}/${kind}`} download>
                {text} file <span className="id">{files[kind]}</span>
              </a>
            ) : (
              <span className="none">
                {text} file: {over ? 'none' : 'written when all have ended'}
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Failures({ id, failures, failed }: { id: string; failures: BatchFailures; failed: number }) {
  const counted = failures.codes.reduce((sum, { count }) => sum + count, 0);
  const never = failed - counted;
  if (failures.lines.length === 0 && failed === 0) return null;
  return (
    <section aria-labelledby="failures">
      <h2 id="failures">What failed</h2>
      {failures.lines.length > 0 && <Lines lines={failures.lines} />}
      {failures.codes.map((code) => (
        <Code key={code.code} batch={id} failed={code} />
      ))}
      {never > 0 && (
        <p className="cut">
          {formatCount(never)} more never ran: the batch was over before, or its line was not counted.
        </p>
      )}
    </section>
  );
}

function Lines({ lines }: { lines: BatchFailures['lines'] }) {
  return (
    <>
      <p>Nothing was called: these lines of its input are faulty{lines.length >= 100 && ' (the first 100)'}.</p>
      <table className="lines" aria-labelledby="failures">
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Field</th>
            <th scope="col">Problem</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ line, code, message, param }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line may have several, and they never move
            <tr key={index}>
              <th scope="row">{line === null ? 'the file' : formatCount(line)}</th>
              <td data-label="Field">
                <bdi>{param ?? '–'}</bdi>
              </td>
              <td data-label="Problem" className="reason">
                <code>{code}</code> <bdi>{message}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Code({ batch, failed: { code, count, examples } }: { batch: string; failed: FailedCode }) {
  const filters =
    code === 'cancelled' ? { batch, status: code } : { batch, status: 'failed', ...(code === '' ? {} : { code }) };
  return (
    <div className="panel code">
      <p className="reason">
        <code>{code || 'other codes'}</code> {formatCount(count)} · <Link href={jobsAddress(filters)}>All of them</Link>
      </p>
      <ul>
        {examples.map(({ id, custom_id, message }) => (
          <li key={id}>
            <Link href={`/jobs/${id}`}>
              <bdi>{custom_id || id}</bdi>
            </Link>{' '}
            <bdi>{message}</bdi>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Metadata({ metadata }: { metadata: Record<string, string> }) {
  return (
    <section aria-labelledby="metadata">
      <h2 id="metadata">Metadata</h2>
      <dl className="facts">
        {Object.entries(metadata).map(([name, value]) => (
          <div key={name}>
            <dt>
              <bdi>{name}</bdi>
            </dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
