/** Every attempt: how it went on one axis of time, and in figures; what its worker had to say. */
import { useEffect, useState } from 'react';
import type { AttemptView, JobPageView } from '../../../src/views/job.ts';
import { formatCount, formatDuration, formatTime, formatUsd } from '../format.ts';
import { StatusBadge } from '../parts/status-badge.tsx';
import { type AttemptLineOf, type Timeline, timelineOf } from './timeline-of.ts';

const FIGURES: ReadonlySet<string> = new Set(['Tokens', 'Cost']);

export function Attempts({ job }: { job: JobPageView }) {
  const running = job.attempts.some(({ finished_at: at }) => at === null);
  const now = useNow(running);
  if (job.attempts.length === 0) return null;
  const timeline = timelineOf(job, now);
  return (
    <section aria-labelledby="attempts">
      <h2 id="attempts">Attempts</h2>
      {job.attempts_omitted > 0 && <p className="cut">The first {formatCount(job.attempts_omitted)} are left out.</p>}
      <figure className="timeline">
        <figcaption>
          From {formatTime(timeline.from)}, {formatDuration(timeline.to - timeline.from)} in all
        </figcaption>
        {timeline.attempts.map((line) => (
          <Line key={line.number} line={line} timeline={timeline} />
        ))}
        <p className="legend" aria-hidden="true">
          <span className="swatch line">in line</span> <span className="swatch limit">limit, breaker</span>{' '}
          <span className="swatch called">called</span> <span className="swatch answering">answering</span>{' '}
          <span className="swatch tools">tools</span>
        </p>
      </figure>
      <table className="attempts">
        <thead>
          <tr>
            {['No.', 'Worker', 'Began', 'Took', 'Outcome', 'Tokens', 'Cost', 'Upstream id'].map((name) => (
              <th key={name} scope="col" className={FIGURES.has(name) ? 'number' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {job.attempts.map((attempt) => (
            <Attempt key={attempt.number} attempt={attempt} now={now} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

const EVERY_MS = 1000;

function useNow(moving: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!moving) return;
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, [moving]);
  return now;
}

function Line({ line, timeline }: { line: AttemptLineOf; timeline: Timeline }) {
  const whole = timeline.to - timeline.from;
  const at = (ms: number): string => `${((100 * ms) / whole).toFixed(3)}%`;
  return (
    <div className="bars">
      <span className="number">{line.number}</span>
      <div>
        <svg aria-hidden="true" height="14">
          {line.spans.map(({ kind, from, to, what }) => (
            <rect
              key={`${kind} ${from}`}
              className={kind}
              x={at(from - timeline.from)}
              width={at(to - from)}
              height="14"
            >
              <title>{`${what}: ${formatDuration(to - from)}`}</title>
            </rect>
          ))}
        </svg>
        <p className="said">
          {line.spans.map(({ what, from, to }) => `${what} ${formatDuration(to - from)}`).join(' · ')}
        </p>
      </div>
    </div>
  );
}

function Attempt({ attempt, now }: { attempt: AttemptView; now: number }) {
  const { number, worker, outcome, reason, usage, error, log } = attempt;
  const end = attempt.finished_at ?? now;
  return (
    <tr>
      <th scope="row" role="rowheader">
        {number}
      </th>
      <td data-label="Worker">
        <bdi>{worker}</bdi>
      </td>
      <td data-label="Began">{formatTime(attempt.started_at)}</td>
      <td data-label="Took">{formatDuration(end - attempt.started_at)}</td>
      <td data-label="Outcome" className="reason">
        <StatusBadge status={outcome ?? 'running'} /> {reason !== null && <code>{reason}</code>}{' '}
        {attempt.possibly_billed && <span className="badge warn">possibly billed</span>}
        {outcome !== null && !attempt.counted && <small>uses up no attempt</small>}
        {error !== null && (
          <span className="line" dir="auto">
            {error.code}: {error.message}
          </span>
        )}
        {log !== null && (
          <ul className="log" aria-label={`What the worker logged of attempt ${number}`}>
            {log.map(({ at, level, text }, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines stay where they are
              <li key={place} className={level}>
                <time dateTime={new Date(at).toISOString()}>+{formatDuration(at - attempt.started_at)}</time> {level}:{' '}
                <bdi>{text}</bdi>
              </li>
            ))}
          </ul>
        )}
      </td>
      <td data-label="Tokens" className="number">
        {usage === null ? (
          <span className="none">none</span>
        ) : (
          `${formatCount(usage.input_tokens)} in, ${formatCount(usage.output_tokens)} out`
        )}
      </td>
      <td data-label="Cost" className="number">
        {usage === null ? <span className="none">none</span> : formatUsd(attempt.cost_usd)}
      </td>
      <td data-label="Upstream id">
        <bdi className="id">{attempt.upstream_id ?? '–'}</bdi>
      </td>
    </tr>
  );
}
