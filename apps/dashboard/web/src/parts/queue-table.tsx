/** The queues: how much waits, for what and until when; what runs and has ended; pausing and resuming. */
import { Link } from 'wouter';
import type { QueueView } from '../../../src/views/overview.ts';
import { formatCount, formatDuration } from '../format.ts';
import { ActButton } from './act-button.tsx';
import { ShareBar } from './share-bar.tsx';
import { Waiting } from './waiting.tsx';

const COLUMNS = [
  { name: 'waiting', title: 'Waiting', tone: '' },
  { name: 'delayed', title: 'Delayed', tone: '' },
  { name: 'active', title: 'Running', tone: 'active' },
  { name: 'perMinute', title: 'Ended/min', tone: '' },
  { name: 'completed', title: 'Completed', tone: 'good' },
  { name: 'failed', title: 'Failed', tone: 'bad' },
  { name: 'incomplete', title: 'Incomplete', tone: 'warn' },
  { name: 'cancelled', title: 'Cancelled', tone: '' },
] as const;

export function QueueTable({ queues }: { queues: readonly QueueView[] }) {
  return (
    <table className="overview-queues" aria-labelledby="queues">
      <thead>
        <tr>
          <th scope="col">Queue</th>
          {COLUMNS.map(({ name, title }) => (
            <th key={name} scope="col" className="number">
              {title}
            </th>
          ))}
          <th scope="col">Waits for</th>
          <th scope="col">
            <span className="visually-hidden">Change</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {queues.map((queue) => (
          <Row key={queue.name} queue={queue} />
        ))}
      </tbody>
      {queues.length > 1 && (
        <tfoot>
          <tr>
            <th scope="row">All</th>
            {COLUMNS.map((column) => (
              <Figure
                key={column.name}
                {...column}
                of="*"
                count={queues.reduce((sum, queue) => sum + queue[column.name], 0)}
              />
            ))}
            <td />
            <td />
          </tr>
        </tfoot>
      )}
    </table>
  );
}

function Row({ queue }: { queue: QueueView }) {
  const { name, model, paused, waitingFor, inputTokens, cachedTokens } = queue;
  const path = `/api/queues/${encodeURIComponent(name)}`;
  return (
    <tr>
      <th scope="row">
        <Link href={`/jobs?queue=${encodeURIComponent(name)}`}>{name}</Link>{' '}
        {paused && <span className="badge warn">paused</span>}
        <small className="under">{model ?? 'the upstream’s model'}</small>
        {cachedTokens > 0 && (
          <small className="under">{Math.round((cachedTokens / inputTokens) * 100)} % of input cached, last hour</small>
        )}
        <ShareBar queue={queue} />
      </th>
      {COLUMNS.map((column) => (
        <Figure key={column.name} {...column} of={name} count={queue[column.name]} />
      ))}
      <td data-label="Waits for" className="waits" data-figure={`waits:${name}`}>
        {waitingFor === null ? <span className="none">–</span> : <Waiting waiting={waitingFor} />}
        <Drained queue={queue} />
      </td>
      <td className="change">
        {paused ? (
          <ActButton path={`${path}/resume`} text="Resume" label={`Resume the queue ${name}`} />
        ) : (
          <ActButton path={`${path}/pause`} text="Pause" label={`Pause the queue ${name}`} />
        )}
      </td>
    </tr>
  );
}

function Drained({ queue: { drain } }: { queue: QueueView }) {
  if (drain === null) return null;
  // A reason that is the same as what it waits for stands there already.
  if (drain.inMs === null)
    return drain.why === 'more comes in than is done' ? <small className="under">{drain.why}</small> : null;
  return <small className="under">drained in about {formatDuration(drain.inMs)}</small>;
}

interface FigureProps {
  name: string;
  of: string;
  title: string;
  tone: string;
  count: number;
}

function Figure({ name, of, title, tone, count }: FigureProps) {
  return (
    <td className="number" data-label={title} data-figure={`${name}:${of}`}>
      <span className={count === 0 ? 'none' : tone}>{formatCount(count)}</span>
    </td>
  );
}
