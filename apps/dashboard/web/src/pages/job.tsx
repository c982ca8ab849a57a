/** A job: what it asks, what it was answered, how each attempt went, and what can be done with it. Live while it runs. */
import { useEffect } from 'react';
import { Link, useParams } from 'wouter';
import type { JobPageView, JobTopic } from '../../../src/views/job.ts';
import { ApiError, useFetched } from '../api.ts';
import { Actions } from '../job/actions.tsx';
import { Attempts } from '../job/attempts.tsx';
import { ChatLog } from '../job/chat-log.tsx';
import { CopyCode } from '../job/copy-code.tsx';
import { Facts } from '../job/facts.tsx';
import { LiveText } from '../job/live-text.tsx';
import { LongText } from '../job/long-text.tsx';
import { Misses } from '../job/misses.tsx';
import { Output } from '../job/output.tsx';
import { RawParts } from '../job/raw-parts.tsx';
import { Turns } from '../job/turns.tsx';
import { jobsAddress } from '../jobs-address.ts';
import { useTopic } from '../live.ts';
import { Problem } from '../parts/problem.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import { Until } from '../parts/until.tsx';
import { endOfWait, isHeld } from '../parts/waiting.tsx';
import '../styles/attempts.css';
import '../styles/job-output.css';
import '../styles/job.css';

export default function JobPage() {
  const { id = '' } = useParams<{ id: string }>();
  return <OneJob key={id} id={id} />;
}

function OneJob({ id }: { id: string }) {
  const { data: job, error, again } = useFetched<JobPageView>(`/api/jobs/${encodeURIComponent(id)}`);
  const unknown = job === null && error instanceof ApiError && error.status === 404;
  const topic = useTopic<JobTopic>(unknown ? null : `job:${id}`);
  const stamp = topic?.stamp ?? '';
  // What was fetched is from before: another stamp says that there is more to read.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the stamp that says when
  useEffect(() => {
    if (stamp !== '' && job !== null) again();
  }, [stamp]);

  const gone = topic?.gone === true || (error instanceof ApiError && error.status === 404);
  const status = topic?.status ?? job?.status ?? null;
  const running = status === 'queued' || status === 'in_progress';
  const waiting = topic?.waiting_for ?? (topic === null ? (job?.waiting_for ?? null) : null);
  const end = waiting === null ? null : endOfWait(waiting);
  return (
    <article className="job">
      <p className="crumbs">
        <Link href="/jobs">All jobs</Link>
      </p>
      <h1>
        Job <bdi className="id">{id}</bdi> {status !== null && !gone && <StatusBadge status={status} />}
      </h1>
      {gone && (
        <p className="notice warn" role="alert">
          {job === null
            ? 'There is no such job: it never was, or its time is over and it was removed.'
            : 'This job is not there any more: it was deleted, or its time is over. What is shown is from before.'}
        </p>
      )}
      {error !== null && !gone && <Problem error={error} again={again} />}
      {job === null && error === null && !gone && <p className="empty">Loading…</p>}
      {running && waiting !== null && !gone && (
        <p className="notice" id="waiting">
          {isHeld(waiting) ? 'Held:' : 'Waits for'} {waiting.message}
          {end !== null && end > Date.now() && (
            <>
              , over <Until at={end} />
            </>
          )}
          .
        </p>
      )}
      {job !== null && (
        <>
          {!gone && <Actions job={job} running={running} />}
          <Facts job={job} />
          {job.error !== null && (
            <section aria-labelledby="error" className="error">
              <h2 id="error">Error</h2>
              <p>
                <code dir="auto">{job.error.code}</code>
                {job.error.upstream_status !== undefined && ` · the upstream answered ${job.error.upstream_status}`}
                {' · '}
                <Link href={jobsAddress({ status: 'failed', code: job.error.code })}>
                  All failed jobs with this code
                </Link>
              </p>
              <LongText id={job.id} part="error" text={job.error.message} />
              {job.output === null && <Misses misses={job.error.misses} />}
            </section>
          )}
          <section aria-labelledby="output">
            <h2 id="output">Output</h2>
            {running && !gone ? <LiveText id={id} /> : <Output job={job} />}
          </section>
          <section aria-labelledby="input">
            <h2 id="input">Input</h2>
            {job.instructions !== null && (
              <div className="message role-instructions">
                <p className="role">instructions</p>
                <LongText id={job.id} part="request" text={job.instructions} />
              </div>
            )}
            <ChatLog id={job.id} chat={job.input} />
            {job.schema !== null && (
              <details>
                <summary>
                  Schema <bdi>{job.schema.name}</bdi>
                </summary>
                <LongText id={job.id} part="request" text={job.schema.json} />
              </details>
            )}
          </section>
          <Turns job={job} />
          <Attempts job={job} />
          <section aria-labelledby="raw">
            <h2 id="raw">Raw</h2>
            <RawParts job={job} />
            <CopyCode job={job} />
          </section>
        </>
      )}
    </article>
  );
}
