/** What is wrong with the whole, on every page, the worst first: each with its reason and, where there is one, its button. */
import type { ReactNode } from 'react';
import type { BreakerView, LimitView, OverviewView } from '../../src/views/overview.ts';
import { formatTime } from './format.ts';
import { useTopic } from './live.ts';
import { ActButton } from './parts/act-button.tsx';
import { Ago } from './parts/ago.tsx';
import { resumePath } from './parts/resume-path.ts';
import './styles/banners.css';

const CLOSED: Record<NonNullable<LimitView['closed']>['why'], string> = {
  insufficient_quota: 'the upstream says that the account’s quota is used up (insufficient_quota)',
  unauthorized: 'the upstream refuses the key (unauthorized)',
};

export function Banners() {
  const overview = useTopic<OverviewView>('overview');
  if (overview === null) return null;
  const { redis, queues, limits, breakers } = overview;
  const unserved = queues.filter(({ waitingFor }) => waitingFor?.reason === 'no_worker').map(({ name }) => name);
  return (
    <div className="banners">
      <Redis overview={overview} />
      {unserved.length > 0 && redis.reachable && (
        <Banner tone="bad">
          <strong>No worker is alive.</strong> Jobs wait in {unserved.join(', ')}. Start a worker, or look why it ended.
        </Banner>
      )}
      {breakers.map((breaker) => (
        <Breaker key={breaker.upstream} breaker={breaker} />
      ))}
      {limits.map((limit) => (
        <Closed key={limit.name} limit={limit} />
      ))}
      {queues
        .filter(({ paused }) => paused)
        .map(({ name }) => (
          <Banner key={name} tone="warn">
            <strong>The queue ‘{name}’ is paused.</strong> Its jobs wait; what runs goes on.
            <ActButton
              path={`/api/queues/${encodeURIComponent(name)}/resume`}
              text="Resume"
              label={`Resume the paused queue ${name}`}
            />
          </Banner>
        ))}
    </div>
  );
}

function Redis({ overview: { redis, known, asOf } }: { overview: OverviewView }) {
  if (redis.unfit !== null) return <Banner tone="bad">{redis.unfit}</Banner>;
  if (redis.reachable) return null;
  return (
    <Banner tone="bad">
      <strong>Redis cannot be reached.</strong> Trying again every second.{' '}
      {known && asOf !== null ? `The figures are those of ${formatTime(asOf)}.` : 'Nothing could be read yet.'}
    </Banner>
  );
}

function Breaker({ breaker: { upstream, state, since } }: { breaker: BreakerView }) {
  if (state === 'closed') return null;
  const from = since === null ? null : <Since at={since} />;
  if (state === 'half_open') {
    return (
      <Banner tone="warn">
        <strong>‘{upstream}’ is back,</strong> {from}: its calls come back step by step (circuit breaker half open).
      </Banner>
    );
  }
  return (
    <Banner tone="bad">
      <strong>Calls to ‘{upstream}’ fail:</strong> its circuit breaker is open (opened {from}). Its jobs wait and use up
      no attempt; a probe now and then finds out whether it is back.
    </Banner>
  );
}

function Closed({ limit: { name, closed } }: { limit: LimitView }) {
  if (closed === null) return null;
  return (
    <Banner tone="bad">
      <strong>The limit ‘{name}’ is closed</strong> (closed <Since at={closed.since} />
      ): {CLOSED[closed.why]}. Its jobs wait and use up no attempt; one call a minute finds out whether it is mended.
      <ActButton path={resumePath(name)} text="Resume" label={`Open the limit ${name}`} />
    </Banner>
  );
}

/** Told once: an alert is read out as a whole each time that its words change. */
function Since({ at }: { at: number }) {
  return (
    <>
      <span className="visually-hidden">{formatTime(at)}</span>
      <span aria-hidden="true">
        <Ago at={at} />
      </span>
    </>
  );
}

function Banner({ tone, children }: { tone: 'bad' | 'warn'; children: ReactNode }) {
  return (
    <div className={`notice banner ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}
