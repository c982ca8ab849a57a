/** The limits: what of each model's minute is used, as figure and gauge, calls in flight, and who waits for what. */
import type { GaugeView, LimitView } from '../../../src/views/overview.ts';
import { formatCount, formatDuration } from '../format.ts';
import { ActButton } from './act-button.tsx';
import { Gauge } from './gauge.tsx';
import { resumePath } from './resume-path.ts';

type Model = LimitView['models'][number];

export function LimitTable({ limits }: { limits: readonly LimitView[] }) {
  return (
    <table className="overview-limits" aria-labelledby="limits">
      <thead>
        <tr>
          <th scope="col">Limit</th>
          <th scope="col">Tokens, last minute</th>
          <th scope="col">Requests, last minute</th>
          <th scope="col">Calls in flight</th>
          <th scope="col">In line</th>
        </tr>
      </thead>
      <tbody>
        {limits.flatMap((limit) =>
          limit.models.length === 0
            ? [<Unused key={limit.name} limit={limit} />]
            : limit.models.map((model, index) => (
                <Row key={`${limit.name} ${model.model}`} limit={limit} model={model} isFirst={index === 0} />
              )),
        )}
      </tbody>
    </table>
  );
}

function Closed({ limit: { name, closed } }: { limit: LimitView }) {
  if (closed === null) return null;
  return (
    <>
      <span className="badge bad">closed</span>{' '}
      <ActButton path={resumePath(name)} text="Resume" label={`Open the limit ${name} in the table`} />
    </>
  );
}

function Unused({ limit }: { limit: LimitView }) {
  const most = (count: number | null) => (
    <span className="none">{count === null ? '–' : `of ${formatCount(count)}`}</span>
  );
  return (
    <tr>
      <th scope="row">
        {limit.name} <Closed limit={limit} />
        <small className="under">not used yet</small>
      </th>
      <td data-label="Tokens, last minute">{most(limit.tokensPerMinute)}</td>
      <td data-label="Requests, last minute">{most(limit.requestsPerMinute)}</td>
      <td data-label="Calls in flight">
        <InFlight limit={limit} />
      </td>
      <td data-label="In line">
        <span className="none">–</span>
      </td>
    </tr>
  );
}

function Row({ limit, model, isFirst }: { limit: LimitView; model: Model; isFirst: boolean }) {
  return (
    <tr>
      <th scope="row">
        <bdi>{model.model || 'the upstream’s model'}</bdi> {isFirst && <Closed limit={limit} />}
        <small className="under">limit {limit.name}</small>
      </th>
      <td data-label="Tokens, last minute">
        <Kind kind={model.tokens} told={model.told} />
      </td>
      <td data-label="Requests, last minute">
        <Kind kind={model.requests} told={model.told} />
      </td>
      <td data-label="Calls in flight">
        {isFirst ? <InFlight limit={limit} /> : <span className="none">as above</span>}
      </td>
      <td data-label="In line">
        <Line model={model} />
      </td>
    </tr>
  );
}

function InFlight({ limit: { inFlight, inFlightMost } }: { limit: LimitView }) {
  return (
    <>
      <span className={inFlight === 0 ? 'none' : ''}>{formatCount(inFlight)}</span>
      {inFlightMost !== null && (
        <>
          <span className="muted"> of {formatCount(inFlightMost)}</span>
          <Gauge share={inFlight / inFlightMost} />
        </>
      )}
    </>
  );
}

/** How much of a minute was used, and whose number the limit is. */
function Kind({ kind, told }: { kind: GaugeView; told: boolean }) {
  const { limit, whose, other, used, left, low } = kind;
  const figure = used === null ? <span className="none">–</span> : formatCount(used);
  if (limit === null) {
    return (
      <>
        {figure}
        <small className="under">{told ? 'not limited' : 'to be learned'}</small>
      </>
    );
  }
  const whoseOther = whose === 'configured' ? 'upstream' : 'configured';
  return (
    <>
      {figure}
      <span className="muted"> of {formatCount(limit)}</span>
      {used !== null && limit > 0 && <span className="share-text"> {Math.round((used / limit) * 100)} %</span>}{' '}
      {low && <span className="badge warn">low</span>}
      <Gauge share={(used ?? 0) / limit} />
      <small className="under">
        {whose}
        {other !== null && `, ${whoseOther} ${formatCount(other)}`}
        {left !== null && ` · ${formatCount(left)} left`}
      </small>
    </>
  );
}

const SCARCE: Readonly<Record<string, string>> = {
  requests: 'requests',
  tokens: 'tokens',
  in_flight: 'a call to end',
  learning: 'the first answers',
};

function Line({ model: { closedUntil, waiting } }: { model: Model }) {
  if (closedUntil !== null) {
    return (
      <>
        <span className="badge warn">paused</span> by a 429, for {formatDuration(Math.max(0, closedUntil - Date.now()))}
      </>
    );
  }
  if (waiting === null) return <span className="none">–</span>;
  const workers = waiting.processes === 1 ? '1 worker' : `${formatCount(waiting.processes)} workers`;
  return (
    <>
      {workers} for {SCARCE[waiting.scarce] ?? waiting.scarce}
    </>
  );
}
