/** The calls of a job that were not its last: what was said, what tools told, how it missed its schema, what it cost. */
import type { JobPageView, TurnView } from '../../../src/views/job.ts';
import { formatCount, formatDuration, formatTime, formatUsd } from '../format.ts';
import { Item } from './chat-log.tsx';
import { LongText } from './long-text.tsx';
import { Misses } from './misses.tsx';

export function Turns({ job }: { job: JobPageView }) {
  if (job.turns.length === 0) return null;
  const ended = job.status !== 'queued' && job.status !== 'in_progress';
  return (
    <section aria-labelledby="turns">
      <h2 id="turns">Calls before the last</h2>
      {job.turns_omitted > 0 && <p className="cut">The first {formatCount(job.turns_omitted)} are left out.</p>}
      <ol className="turns">
        {job.turns.map((turn) => (
          <Turn key={turn.number} id={job.id} turn={turn} ended={ended} />
        ))}
      </ol>
    </section>
  );
}

function Turn({ id, turn, ended }: { id: string; turn: TurnView; ended: boolean }) {
  const names = new Map(turn.said.map((item) => (item.kind === 'call' ? [item.callId, item.name] : ['', ''])));
  const told = new Set(turn.tools.map(({ callId }) => callId));
  return (
    <li>
      <p>
        Call {turn.number} <small>{formatTime(turn.at)}</small>{' '}
        <small>
          {turn.usage === null
            ? 'no tokens counted'
            : `${formatCount(turn.usage.input_tokens)} tokens in, ${formatCount(turn.usage.output_tokens)} out`}
          , {formatUsd(turn.cost_usd)}
        </small>
      </p>
      <Misses misses={turn.misses} />
      {turn.said.map((item, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: what was said stays where it is
        <div key={place} className={`message role-${item.kind}`}>
          <Item id={id} item={item} part="response" />
          {item.kind === 'call' && !told.has(item.callId) && (
            <p className="muted">{ended ? 'Nothing was told to it.' : 'Running, or not told yet.'}</p>
          )}
        </div>
      ))}
      {turn.tools.map(({ callId, output, failed, ms }) => (
        <div key={callId} className="tool">
          <p>
            <bdi>{names.get(callId) ?? 'A tool'}</bdi> answered after {formatDuration(ms)} <small>{callId}</small>{' '}
            {failed && <span className="badge bad">the tool failed</span>}
          </p>
          <LongText id={id} part="response" text={output} />
        </div>
      ))}
      {turn.omitted > 0 && <p className="cut">{formatCount(turn.omitted)} more are left out.</p>}
    </li>
  );
}
