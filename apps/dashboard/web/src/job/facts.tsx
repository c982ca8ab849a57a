/** What there is to know of a job at a glance, and what it belongs to. */
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { JobPageView } from '../../../src/views/job.ts';
import { formatCount, formatDuration, formatTime, formatUsd } from '../format.ts';
import { Ago } from '../parts/ago.tsx';

export function Facts({ job }: { job: JobPageView }) {
  const { usage } = job;
  const cached = usage?.input_tokens_details.cached_tokens ?? 0;
  const reasoning = usage?.output_tokens_details.reasoning_tokens ?? 0;
  const took = job.finished_at === null ? null : job.finished_at - job.created_at;
  return (
    <dl className="facts">
      <Fact name="Queue">
        <Link href={`/jobs?queue=${encodeURIComponent(job.queue)}`}>{job.queue}</Link>
      </Fact>
      <Fact name="Type">{job.type}</Fact>
      <Fact name="Model" text={job.model ?? ''}>
        {job.model === null ? 'the upstream’s first' : <bdi>{job.model}</bdi>}
      </Fact>
      <Fact name="Priority">{job.priority}</Fact>
      <Fact name="Created">
        {formatTime(job.created_at)}
        <small className="under">
          <Ago at={job.created_at} />
        </small>
      </Fact>
      {job.finished_at !== null && <Fact name="Ended">{formatTime(job.finished_at)}</Fact>}
      {took !== null && <Fact name="Took in all">{formatDuration(took)}</Fact>}
      {job.deadline !== null && <Fact name="Deadline">{formatTime(job.deadline)}</Fact>}
      <Fact name="Tokens">
        {usage === null
          ? 'none counted'
          : `${formatCount(usage.input_tokens)} in${cached > 0 ? ` (${formatCount(cached)} cached)` : ''}, ${formatCount(usage.output_tokens)} out${reasoning > 0 ? ` (${formatCount(reasoning)} reasoning)` : ''}`}
      </Fact>
      <Fact name="Cost">{usage === null && job.cost_usd === null ? 'none known' : formatUsd(job.cost_usd)}</Fact>
      {job.tool_calls !== null && (
        <Fact name="The upstream’s tools">
          {Object.entries(job.tool_calls)
            .map(([type, count]) => `${type} × ${count}`)
            .join(', ')}
        </Fact>
      )}
      {job.key !== null && (
        <Fact name="API key">
          <bdi>{job.key}</bdi>
        </Fact>
      )}
      {job.retry_of !== null && (
        <Fact name="Retry of">
          <JobLink id={job.retry_of} />
        </Fact>
      )}
      {job.retried_as !== null && (
        <Fact name="Retried as">
          <JobLink id={job.retried_as} />
        </Fact>
      )}
      {job.answered_by !== null && (
        <Fact name="Answered by the call of">
          <JobLink id={job.answered_by} />
        </Fact>
      )}
      {job.follows !== null && (
        <Fact name="Shares the call of">
          <JobLink id={job.follows} />
        </Fact>
      )}
      {job.goes_on_from !== null && (
        <Fact name="Goes on from">
          {job.goes_on_from.ours ? (
            <JobLink id={job.goes_on_from.id} />
          ) : (
            <bdi className="id">{job.goes_on_from.id}</bdi>
          )}
        </Fact>
      )}
      {job.conversation !== null && (
        <Fact name="Conversation">
          <bdi className="id">{job.conversation}</bdi>
        </Fact>
      )}
      {job.flow !== null && (
        <Fact name="Flow">
          <Link className="id" href={`/flows/${encodeURIComponent(job.flow)}`}>
            {job.flow}
          </Link>
        </Fact>
      )}
      {job.flow !== null && job.step !== null && (
        <Fact name="Step of the flow">
          <Link href={`/flows/${encodeURIComponent(job.flow)}?step=${encodeURIComponent(job.step)}`}>
            <bdi>{job.step}</bdi>
          </Link>
        </Fact>
      )}
      {job.batch !== null && (
        <Fact name="Batch">
          <Link className="id" href={`/batches/${encodeURIComponent(job.batch.id)}`}>
            {job.batch.id}
          </Link>{' '}
          <small>
            line <bdi>{job.batch.custom_id}</bdi>
          </small>
        </Fact>
      )}
      {job.has_webhook && <Fact name="Webhook">told when it ends</Fact>}
      {job.forget && <Fact name="Kept">only until it was delivered</Fact>}
      {Object.entries(job.metadata ?? {}).map(([name, value]) => (
        <Fact key={name} name={<bdi>{name}</bdi>} text={value}>
          <bdi>{value}</bdi>
        </Fact>
      ))}
    </dl>
  );
}

/** A longer value has a row of its own. */
const WIDE_CHARACTERS = 80;

function Fact({ name, text = '', children }: { name: ReactNode; text?: string; children: ReactNode }) {
  return (
    <div className={text.length > WIDE_CHARACTERS ? 'wide' : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function JobLink({ id }: { id: string }) {
  return (
    <Link className="id" href={`/jobs/${encodeURIComponent(id)}`}>
      {id}
    </Link>
  );
}
