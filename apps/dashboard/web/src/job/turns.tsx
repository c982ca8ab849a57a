/** The calls of a job that were not its last: what was said, what tools told, how it missed its schema, what it cost. */
import type { JobPageView, SaidView, TurnView } from '../../../src/views/job.ts';
import { formatCount, formatDuration, formatTime, formatUsd } from '../format.ts';
import { Item } from './chat-log.tsx';
import { LongText, WholeAsFile } from './long-text.tsx';
import { Misses } from './misses.tsx';

export function Turns({ job }: { job: Pick<JobPageView, 'id' | 'status' | 'turns' | 'turns_omitted'> }) {
  if (job.turns.length === 0) return null;
  const ended = job.status !== 'queued' && job.status !== 'in_progress';
  return (
    <section aria-labelledby="turns">
      <h2 id="turns">Calls before the last</h2>
      {job.turns_omitted > 0 && (
        <p className="cut">
          The first {formatCount(job.turns_omitted)} are left out. <WholeAsFile id={job.id} part="turns" />
        </p>
      )}
      <ol className="turns">
        {job.turns.map((turn) => (
          <Turn key={turn.number} id={job.id} turn={turn} ended={ended} />
        ))}
      </ol>
    </section>
  );
}

function Turn({ id, turn, ended }: { id: string; turn: TurnView; ended: boolean }) {
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
      {turn.said.map((said, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: what was said stays where it is
        <Said key={place} id={id} said={said} ended={ended} />
      ))}
      {turn.omitted > 0 && (
        <p className="cut">
          {formatCount(turn.omitted)} more parts are left out. <WholeAsFile id={id} part="turns" />
        </p>
      )}
    </li>
  );
}

function Said({ id, said: { item, told }, ended }: { id: string; said: SaidView; ended: boolean }) {
  return (
    <div className={`message role-${item.kind}`}>
      <Item id={id} item={item} part="turns" />
      {item.kind === 'call' &&
        (told === null ? (
          <p className="told">
            {ended ? (
              <span className="badge">was told nothing</span>
            ) : (
              <span className="badge active">running, or not told yet</span>
            )}
          </p>
        ) : (
          <>
            <p className="told">
              {told.failed ? (
                <span className="badge bad">the tool failed</span>
              ) : (
                <span className="badge good">the tool told</span>
              )}{' '}
              <small>after {formatDuration(told.ms)}</small>
            </p>
            <LongText id={id} part="turns" text={told.output} />
          </>
        ))}
    </div>
  );
}
