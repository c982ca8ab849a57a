/** Cost: what was spent by day, model, queue and API key; failed and cached apart, and unknown where no price is known. */
import { useSearchParams } from 'wouter';
import type { CostView } from '../../../src/views/cost.ts';
import { formatCount, formatUsd } from '../format.ts';
import { useTopic } from '../live.ts';
import { Chart } from '../parts/chart.tsx';
import { PriceTable } from '../parts/price-table.tsx';
import { SpendingTable } from '../parts/spending-table.tsx';
import { formatSpent } from '../spent.ts';
import '../styles/cost.css';

/** Days, as the server has topics for them. */
const SPANS = [1, 7, 30, 90];
const SPAN_DEFAULT = 7;

const MODEL_NAMES = { '': 'not named', other: 'other models' };
const KEY_NAMES = { '': 'no key' };

export default function CostPage() {
  const [params, setParams] = useSearchParams();
  const asked = Number(params.get('days'));
  const days = SPANS.includes(asked) ? asked : SPAN_DEFAULT;
  const cost = useTopic<CostView>(`cost:${days}`);
  return (
    <>
      <h1>Cost</h1>
      <fieldset className="spans cost-spans">
        <legend className="visually-hidden">Days shown</legend>
        {SPANS.map((span) => (
          <button
            key={span}
            type="button"
            aria-pressed={span === days}
            onClick={() => setParams({ days: String(span) }, { replace: true })}
          >
            {span === 1 ? 'Today' : `${span} days`}
          </button>
        ))}
        <span className="muted">UTC days, today among them</span>
      </fieldset>
      {cost === null ? <p className="empty">Loading…</p> : <Spent cost={cost} />}
    </>
  );
}

function Spent({ cost }: { cost: CostView }) {
  const { byDay, byModel, byQueue, byKey, modelsLeftOut, table } = cost;
  return (
    <>
      <Totals cost={cost} />
      {byDay.length > 1 && (
        <Chart
          title="US dollars a day"
          times={byDay.map(({ name }) => Date.parse(name) / 1000)}
          series={[
            { label: 'Spent', color: '--share-active', values: byDay.map(({ usd }) => usd), area: true },
            {
              label: 'Of it, on failed calls',
              color: '--share-failed',
              values: byDay.map(({ failedUsd }) => failedUsd),
              dashed: true,
            },
          ]}
          height={180}
          format={formatUsd}
        />
      )}
      <SpendingTable title="By model" of="Model" rows={byModel} names={MODEL_NAMES} />
      {modelsLeftOut > 0 && <p className="cut">{formatCount(modelsLeftOut)} models that cost less are not listed.</p>}
      <SpendingTable title="By queue" of="Queue" rows={byQueue} names={{}} />
      <SpendingTable title="By API key" of="Key" rows={byKey} names={KEY_NAMES} />
      {byDay.length > 1 && (
        <details className="days">
          <summary>Every day</summary>
          <SpendingTable title="By day" of="Day" rows={byDay.toReversed()} names={{}} />
        </details>
      )}
      <PriceTable models={byModel} names={MODEL_NAMES} table={table} />
    </>
  );
}

function Totals({ cost: { total } }: { cost: CostView }) {
  return (
    <>
      <dl className="facts">
        <Fact name="Spent" value={formatSpent(total)} strong />
        <Fact name="Of it, on failed calls" value={formatUsd(total.failedUsd)} />
        <Fact name="Saved by input cached upstream" value={formatUsd(total.savedByCachedUsd)} />
        <Fact
          name="Saved by answers of other jobs"
          value={`${formatUsd(total.savedBySharedUsd)} (${formatCount(total.sharedCalls)} jobs)`}
        />
        <Fact name="Calls" value={formatCount(total.calls)} />
        <Fact name="Tokens in, out" value={`${formatCount(total.input)}, ${formatCount(total.output)}`} />
      </dl>
      {total.atLeast && (
        <p className="notice warn" id="unknown">
          Some of the cost is not known:{' '}
          {[
            total.unknownTokens > 0 && `${formatCount(total.unknownTokens)} tokens of models without a price`,
            total.unreadCalls > 0 &&
              `${formatCount(total.unreadCalls)} calls that broke off, may be on the bill, and nobody knows with what`,
          ]
            .filter(Boolean)
            .join('; ')}
          . It is in none of the dollars here.
        </p>
      )}
    </>
  );
}

function Fact({ name, value, strong = false }: { name: string; value: string; strong?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{strong ? <strong>{value}</strong> : value}</dd>
    </div>
  );
}
