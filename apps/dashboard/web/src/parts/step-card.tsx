/** One step of a flow as a card: where it stands, how many of its jobs came to what, what it waits for, why it failed. */
import { Link } from 'wouter';
import type { StepCard } from '../../../src/views/flows.ts';
import type { OverviewView } from '../../../src/views/overview.ts';
import { formatCompact, formatCount } from '../format.ts';
import { useTopic } from '../live.ts';
import { ProgressBar } from './progress-bar.tsx';
import { StatusBadge } from './status-badge.tsx';
import { Until } from './until.tsx';
import { Waiting } from './waiting.tsx';

const POLICIES: Readonly<Record<string, string>> = {
  skip: '; if it fails, what needs it is left out',
  continue: '; if it fails, the flow goes on',
};

export function StepCardView({ flow, card, chosen }: { flow: string; card: StepCard; chosen: boolean }) {
  const { name, status, needs, waits_for, total, error, tokens, job } = card;
  return (
    <li className={chosen ? 'step chosen' : 'step'} id={`step-${name}`}>
      <h3>{name}</h3> <StatusBadge status={status} />
      <p className="muted">
        {card.type}
        {card.each && ', for each of a list'}
        {POLICIES[card.on_failure]}
      </p>
      {needs.length > 0 && (
        <p className="needs">
          {waits_for.length > 0 ? 'waits for ' : 'after '}
          {(waits_for.length > 0 ? waits_for : needs).map((need, index) => (
            <span key={need}>
              {index > 0 && ', '}
              <a href={`#step-${need}`}>{need}</a>
            </span>
          ))}
        </p>
      )}
      {total > 0 && <Counts card={card} />}
      {status === 'in_progress' && <QueueWaits queue={card.queue} />}
      {card.done_at !== null && status === 'in_progress' && (
        <p>
          done <Until at={card.done_at} />
        </p>
      )}
      {tokens !== null && (
        <p className="muted">
          tokens: {formatCompact(tokens.input)} in · {formatCompact(tokens.output)} out
        </p>
      )}
      {error !== null && (
        <p className="reason">
          <code>{error.code}</code> <bdi>{error.message}</bdi>
        </p>
      )}
      {total > 0 && (
        <p>
          <Link href={`/flows/${flow}?step=${encodeURIComponent(name)}`}>
            {total === 1 ? 'What it said' : `Its ${formatCount(total)} jobs`}
            <span className="visually-hidden">, {name}</span>
          </Link>
          {job !== null && (
            <>
              {' · '}
              <Link href={`/jobs/${job}`}>
                Its job<span className="visually-hidden">, {name}</span>
              </Link>
            </>
          )}
        </p>
      )}
    </li>
  );
}

/** Why what is still to be done of a step does not begin: its queue waits. */
function QueueWaits({ queue }: { queue: string }) {
  const queues = useTopic<OverviewView>('overview')?.queues ?? [];
  // A type without a queue of its own goes to the only one.
  const waiting = (queues.find(({ name }) => name === queue) ?? (queues.length === 1 ? queues[0] : undefined))
    ?.waitingFor;
  // A delay or a backoff is of single jobs, most likely of others than this step's.
  if (waiting == null || waiting.reason === 'delay' || waiting.reason === 'backoff') return null;
  return (
    <p className="waits">
      Its queue waits: <Waiting waiting={waiting} />
    </p>
  );
}

function Counts({ card: { total, ended, completed, failed } }: { card: StepCard }) {
  return (
    <div className="counts">
      {completed === null || failed === null ? (
        `${formatCount(ended)} of ${formatCount(total)} ended`
      ) : (
        <>
          {formatCount(completed)} of {formatCount(total)} done
          {failed > 0 && <span className="bad"> · {formatCount(failed)} failed</span>}
        </>
      )}
      <ProgressBar total={total} completed={completed ?? 0} failed={failed ?? 0} ended={ended} />
    </div>
  );
}
