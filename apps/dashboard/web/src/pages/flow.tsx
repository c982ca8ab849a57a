/** One flow: how far it is, its steps in the order in which they can run, its cost, and how to cancel it or do it again. Live. */
import { Link, useLocation, useSearchParams } from 'wouter';
import type { FlowHead, FlowView } from '../../../src/views/flows.ts';
import { formatCount, formatDuration, formatTime, formatUsd } from '../format.ts';
import { jobsAddress } from '../jobs-address.ts';
import { useTopic } from '../live.ts';
import { ActButton } from '../parts/act-button.tsx';
import { Ago } from '../parts/ago.tsx';
import { Definition } from '../parts/flow-definition.tsx';
import { FoundPage, NoticeOfAge } from '../parts/found-page.tsx';
import { Spend } from '../parts/spend.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import { StepCardView } from '../parts/step-card.tsx';
import { StepJobs } from '../parts/step-jobs.tsx';
import { Until } from '../parts/until.tsx';
import '../styles/flows.css';

export default function FlowPage() {
  return <FoundPage list="flows" called="Flow" page={(id) => <Live key={id} id={id} />} />;
}

function Live({ id }: { id: string }) {
  const view = useTopic<FlowView>(`flow:${id}`);
  const step = useSearchParams()[0].get('step');
  if (view === null) return <p className="empty">Loading…</p>;
  const { flow, layers, steps, gone, stale } = view;
  if (flow === undefined) {
    return (
      <p className="notice warn">{gone ? 'It is not kept any more.' : 'It could not be read yet; trying again.'}</p>
    );
  }
  const chosen = step === null ? undefined : steps[step];
  return (
    <>
      <p className="crumbs">
        <Link href="/flows">All flows</Link> · <Link href={jobsAddress({ flow: id })}>Its jobs</Link>
      </p>
      <h1>
        {flow.name === null ? 'Flow ' : <bdi>{flow.name} </bdi>}
        <span className="id">{id}</span> <StatusBadge status={flow.status} />
      </h1>
      <NoticeOfAge called="flow" gone={gone} stale={stale} />
      <Facts view={view} />
      <Actions flow={flow} />
      <section aria-labelledby="steps">
        <h2 id="steps">Steps</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
        <section className="layers" tabIndex={0} aria-labelledby="steps">
          <ol>
            {layers.map((layer) => (
              <li key={layer.join()}>
                <ul>
                  {layer.map((name) => {
                    const card = steps[name];
                    return card && <StepCardView key={name} flow={id} card={card} chosen={name === step} />;
                  })}
                </ul>
              </li>
            ))}
          </ol>
        </section>
      </section>
      {chosen !== undefined && <StepJobs key={chosen.name} flow={id} card={chosen} />}
      {flow.metadata !== null && <Metadata metadata={flow.metadata} />}
      <Definition id={id} />
    </>
  );
}

function Facts({ view: { flow, steps, spend, counted, expected_usd } }: { view: FlowView }) {
  const states = Object.values(steps);
  const over = states.filter(({ status }) => ['completed', 'failed', 'skipped'].includes(status)).length;
  return (
    <dl className="facts">
      <div>
        <dt>Steps that are over</dt>
        <dd id="over">
          {formatCount(over)} of {formatCount(states.length)}
        </dd>
      </div>
      <div>
        <dt>Created</dt>
        <dd>
          <Ago at={flow.created_at} />
          <small className="under">{formatTime(flow.created_at)}</small>
        </dd>
      </div>
      {flow.finished_at === null ? (
        <div>
          <dt>Will be done</dt>
          <dd>
            {flow.done_at === null ? (
              <span className="none">not known while steps wait or have just begun</span>
            ) : (
              <Until at={flow.done_at} />
            )}
          </dd>
        </div>
      ) : (
        <div>
          <dt>Took</dt>
          <dd>
            {formatDuration(Math.max(0, flow.finished_at - flow.created_at))}
            <small className="under">ended {formatTime(flow.finished_at)}</small>
          </dd>
        </div>
      )}
      <div>
        <dt>Cost{flow.finished_at === null && ' so far'}</dt>
        <dd id="cost">
          <Spend spend={spend} />
          {counted.jobs < counted.of && (
            <small className="under">
              of the first {formatCount(counted.jobs)} of {formatCount(counted.of)} jobs
            </small>
          )}
        </dd>
      </div>
      {expected_usd !== null && (
        <div>
          <dt>Cost expected in all</dt>
          <dd>about {formatUsd(expected_usd)}</dd>
        </div>
      )}
      <Relation text="Retry of" id={flow.retry_of} />
      <Relation text="Done again in" id={flow.retried_in} />
    </dl>
  );
}

function Relation({ text, id }: { text: string; id: string | null }) {
  return (
    id !== null && (
      <div>
        <dt>{text}</dt>
        <dd>
          <Link className="id" href={`/flows/${encodeURIComponent(id)}`}>
            {id}
          </Link>
        </dd>
      </div>
    )
  );
}

function Actions({ flow: { id, status } }: { flow: FlowHead }) {
  const [, go] = useLocation();
  if (status === 'completed') return null;
  if (status === 'in_progress') {
    return (
      <ActButton
        text="Cancel the flow"
        path={`/api/flows/${id}/cancel`}
        sure="No step will start any more, and its jobs that have not ended are cancelled."
      />
    );
  }
  return (
    <>
      <ActButton<{ id: string }>
        text="Do it again"
        path={`/api/flows/${id}/retry`}
        onDone={(again) => go(`/flows/${again.id}`)}
      />
      <p className="muted">As a new flow; what is completed and would be asked the same is not done again.</p>
    </>
  );
}

function Metadata({ metadata }: { metadata: Record<string, string> }) {
  return (
    <section aria-labelledby="metadata">
      <h2 id="metadata">Metadata</h2>
      <dl className="facts">
        {Object.entries(metadata).map(([name, value]) => (
          <div key={name}>
            <dt>
              <bdi>{name}</bdi>
            </dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
