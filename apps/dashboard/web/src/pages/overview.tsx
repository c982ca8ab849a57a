/** The whole at a glance: what is done a minute, what runs, what fails, what it costs, what waits for what and until when. */
import { Link } from 'wouter';
import type { HistoryView, OverviewView, QueueView } from '../../../src/views/overview.ts';
import { formatCompact, formatCount, formatDuration, formatShare, formatUsd } from '../format.ts';
import { useTopic } from '../live.ts';
import { CauseTable } from '../parts/cause-table.tsx';
import { Chart } from '../parts/chart.tsx';
import { FailureTable } from '../parts/failure-table.tsx';
import { LimitTable } from '../parts/limit-table.tsx';
import { QueueTable } from '../parts/queue-table.tsx';
import { Stat } from '../parts/stat.tsx';
import { versionsOf, WorkerTable } from '../parts/worker-table.tsx';
import '../styles/overview.css';

/** From here on failures are more than the odd one. */
const WARN_SHARE = 0.02;
const BAD_SHARE = 0.1;

export default function Overview() {
  const overview = useTopic<OverviewView>('overview');
  const history = useTopic<HistoryView>('history');
  if (overview === null) return <p className="empty">Loading…</p>;
  return (
    <>
      <h1 className="visually-hidden">Overview</h1>
      <Stats overview={overview} />
      {overview.known && (
        <>
          <Charts history={history} />
          {overview.queues.every(isUntouched) && (
            <p className="notice" id="begin">
              Nothing was submitted yet. Jobs come by <code>POST /v1/responses</code> or <code>POST /v1/jobs</code> on
              the API; a worker carries them out, and here it is seen.
            </p>
          )}
          <section>
            <h2 id="queues">Queues</h2>
            <QueueTable queues={overview.queues} />
          </section>
          <section>
            <h2 id="limits">Limits</h2>
            <LimitTable limits={overview.limits} />
          </section>
          <section>
            <h2 id="failures">Failures</h2>
            {overview.causes !== null && <CauseTable causes={overview.causes} />}
            <FailureTable failures={overview.failures} />
            <p>
              <Link href="/failures">All failures by their cause</Link>
            </p>
          </section>
          <section>
            <h2 id="workers">Workers</h2>
            <WorkerTable workers={overview.workers} />
          </section>
        </>
      )}
      <Kept redis={overview.redis} />
    </>
  );
}

function isUntouched({ waiting, delayed, active, completed, failed, incomplete, cancelled }: QueueView): boolean {
  return waiting + delayed + active + completed + failed + incomplete + cancelled === 0;
}

function Stats({ overview: { known, figures, queues, workers, causes } }: { overview: OverviewView }) {
  const of = (text: string): string | null => (known ? text : null);
  const top = causes?.[0];
  const { perMinute, errorShare, failedLately, spentToday, unpricedTokens } = figures;
  const tone = errorShare === null || errorShare < WARN_SHARE ? '' : errorShare < BAD_SHARE ? 'warn' : 'bad';
  const backlog = queues.reduce((sum, { waiting, delayed }) => sum + waiting + delayed, 0);
  const running = queues.reduce((sum, { active }) => sum + active, 0);
  return (
    <dl className="stats">
      <Stat name="Throughput" value={of(formatCount(perMinute))}>
        jobs ended in the last minute
      </Stat>
      <Stat name="In flight" value={of(formatCount(running))}>
        jobs running now
      </Stat>
      <Stat name="Errors" value={of(errorShare === null ? '–' : formatShare(errorShare))} tone={tone}>
        {errorShare === null ? 'none ended for 15 minutes' : `${formatCount(failedLately)} failed in 15 minutes`}
        {known && top !== undefined && (
          <>
            , of the last hour most: <Link href={`/failures/${encodeURIComponent(top.cause)}?hours=1`}>{top.code}</Link>
          </>
        )}
      </Stat>
      <Stat name="Backlog" value={of(formatCount(backlog))}>
        <Drained queues={queues} />
      </Stat>
      <Stat name="Spent today" value={of(spentToday === 0 && unpricedTokens > 0 ? 'unknown' : formatUsd(spentToday))}>
        {unpricedTokens === 0
          ? 'since midnight UTC'
          : `${spentToday === 0 ? '' : 'and '}${formatCompact(unpricedTokens)} tokens without a price`}
      </Stat>
      <Stat name="Workers" value={of(formatCount(workers.length))} tone={known && workers.length === 0 ? 'bad' : ''}>
        {workers.length === 0 ? 'none is alive' : versionsOf(workers)}
      </Stat>
    </dl>
  );
}

const nameOf = (model: string): string => model || 'the upstream’s model';

/** When the last queue is done, and what binds there. */
function Drained({ queues }: { queues: readonly QueueView[] }) {
  const waiting = queues.filter(({ drain }) => drain !== null);
  if (waiting.length === 0) return <>nothing waits</>;
  const untold = waiting.find(({ drain }) => drain?.inMs === null);
  if (untold !== undefined) {
    const { binds, why } = untold.drain ?? {};
    return (
      <>
        {why}
        {binds != null && `; what binds: ${binds}`}
      </>
    );
  }
  const last = waiting.reduce((a, b) => ((b.drain?.inMs ?? 0) > (a.drain?.inMs ?? 0) ? b : a));
  return (
    <>
      drained in about {formatDuration(last.drain?.inMs ?? 0)}
      {last.drain?.binds != null && `; what binds: ${last.drain.binds}`}
    </>
  );
}

function Charts({ history }: { history: HistoryView | null }) {
  if (history === null || history.times.length === 0) return <div className="charts" />;
  const { times, completed, failed, tokens } = history;
  return (
    <div className="charts">
      <Chart
        title="Jobs ended a minute, last hour"
        times={times}
        format={formatCompact}
        series={[
          { label: 'completed', color: '--share-completed', values: completed, area: true },
          { label: 'failed', color: '--share-failed', values: failed },
        ]}
      />
      {tokens.map(({ model, limit, values }) => (
        <Chart
          key={model}
          title={`Tokens a minute, last hour: ${nameOf(model)}`}
          times={times}
          format={formatCompact}
          series={[
            { label: 'used', color: '--share-active', values, area: true },
            ...(limit === null
              ? []
              : [{ label: 'limit', color: '--muted', values: times.map(() => limit), dashed: true }]),
          ]}
        />
      ))}
    </div>
  );
}

/** Whether what is accepted is safe, which nobody sees from the figures. */
function Kept({ redis: { reachable, version, durability } }: Pick<OverviewView, 'redis'>) {
  if (!reachable) return null;
  if (durability === null) return <p className="notice">Redis is being looked at.</p>;
  if (durability === 'memory') {
    return (
      <p className="notice warn">
        <strong>Redis {version} acknowledges before it has fsynced:</strong> a crash of Redis may lose accepted jobs.
        Set <code>appendonly yes</code> and <code>appendfsync always</code>, or use Redis 7.2 or newer with{' '}
        <code>appendonly yes</code>.
      </p>
    );
  }
  return (
    <p className="muted">
      Redis {version}: every job is on disk before it is acknowledged (
      {durability === 'always' ? 'appendfsync always' : 'WAITAOF'})
    </p>
  );
}
