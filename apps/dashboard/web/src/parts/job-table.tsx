/** Jobs as a table, a page of them at a time; on a phone each is a card. Whatever a user wrote is shown as text. */
import { Link } from 'wouter';
import type { JobRow } from '../../../src/views/jobs.ts';
import { formatCount, formatDuration, formatUsd } from '../format.ts';
import { Ago } from './ago.tsx';
import { StatusBadge } from './status-badge.tsx';
import { endOfWait } from './waiting.tsx';

interface Terms {
  jobs: readonly JobRow[];
  now: number;
  next: string | null;
  /** It is the page of the newest. */
  first: boolean;
  /** Something is looked for. */
  filtered: boolean;
  hrefOf(after: string | null): string;
}

export function JobTable({ jobs, now, next, first, filtered, hrefOf }: Terms) {
  return (
    <>
      {jobs.length === 0 ? (
        <p className="empty">
          {next !== null ? (
            'None of these: there may be some among the older ones.'
          ) : filtered ? (
            'No job fits. Fewer filters, or the beginning of a word with a star (ten*), find more.'
          ) : (
            <>
              No jobs yet. Submit one by <code>POST /v1/responses</code>, or many by <code>POST /v1/jobs</code>.
            </>
          )}
        </p>
      ) : (
        <table className="jobs">
          <caption className="visually-hidden">Jobs, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">Status</th>
              <th scope="col">Prompt or output</th>
              <th scope="col">Queue, model</th>
              <th scope="col">Submitted</th>
              <th scope="col" className="number">
                Took
              </th>
              <th scope="col" className="number">
                Tokens in + out
              </th>
              <th scope="col" className="number">
                Cost
              </th>
              <th scope="col" className="number">
                Attempts
              </th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <Row key={job.id} job={job} now={now} />
            ))}
          </tbody>
        </table>
      )}
      {(!first || next !== null) && (
        <nav className="pages" aria-label="Pages">
          {!first && <Link href={hrefOf(null)}>Newest</Link>}
          {!first && (
            <button type="button" className="plain" onClick={() => history.back()}>
              Back
            </button>
          )}
          {next !== null && (
            <Link href={hrefOf(next)} rel="next">
              Older
            </Link>
          )}
        </nav>
      )}
    </>
  );
}

function Row({ job, now }: { job: JobRow; now: number }) {
  const { tokens, waiting } = job;
  const end = waiting === null ? null : endOfWait(waiting);
  const called = tokens !== null || job.costUsd !== null;
  return (
    <tr>
      <td data-label="Job">
        <Link className="id" href={`/jobs/${job.id}`} title={job.id}>
          …{job.id.slice(-8)}
        </Link>
      </td>
      <td data-label="Status">
        <StatusBadge status={job.status} />
        {job.code !== null && <code className="code">{job.code}</code>}
        {waiting !== null && (
          <small className="under">
            waits: {waiting.message}
            {end !== null && end > now && ` (${formatDuration(end - now)})`}
          </small>
        )}
      </td>
      <td className="excerpt" data-label={job.excerpt.of === 'prompt' ? 'Prompt' : 'Output'}>
        {/* The text says itself which way it runs, and changes nothing around it. */}
        <bdi dir="auto">
          {job.excerpt.parts.length === 0 && <span className="none">empty, or too long for a list</span>}
          {job.excerpt.of === 'output' && <small>output: </small>}
          {job.excerpt.parts.map(({ text, marked }, place) => {
            // biome-ignore lint/suspicious/noArrayIndexKey: parts of a text, which never change places
            return marked ? <mark key={place}>{text}</mark> : <span key={place}>{text}</span>;
          })}
        </bdi>
      </td>
      <td data-label="Queue, model">
        {job.queue}
        <small className="under">{job.model ?? 'the upstream’s first'}</small>
      </td>
      <td className="when" data-label="Submitted">
        <Ago at={job.createdAt} />
      </td>
      <td className="number" data-label="Took">
        {job.durationMs === null ? <None /> : formatDuration(job.durationMs)}
      </td>
      <td className="number" data-label="Tokens in + out">
        {tokens === null ? <None /> : `${formatCount(tokens.input)} + ${formatCount(tokens.output)}`}
      </td>
      <td className="number" data-label="Cost">
        {called ? formatUsd(job.costUsd) : <None />}
      </td>
      <td className="number" data-label="Attempts">
        {formatCount(job.attempts)}
      </td>
    </tr>
  );
}

function None() {
  return (
    <span className="none">
      <span aria-hidden="true">–</span>
      <span className="visually-hidden">none</span>
    </span>
  );
}
