/** The queues with their counts. Each figure is a region of its own, so that only what changed is sent and replaced. */
import type { QueueCounts } from '@millrace/queue';
import { formatCount } from '../format.ts';
import { type Html, html } from '../html.ts';
import type { QueueTotals } from '../snapshot.ts';
import type { Regions } from '../viewers.ts';

type CountName = Exclude<keyof QueueCounts, 'name' | 'paused'>;

const COLUMNS: readonly { name: CountName; title: string; tone: string }[] = [
  { name: 'waiting', title: 'Waiting', tone: '' },
  { name: 'active', title: 'Active', tone: 'active' },
  { name: 'delayed', title: 'Delayed', tone: '' },
  { name: 'completed', title: 'Completed', tone: 'good' },
  { name: 'failed', title: 'Failed', tone: 'bad' },
  { name: 'incomplete', title: 'Incomplete', tone: 'warn' },
  { name: 'cancelled', title: 'Cancelled', tone: '' },
];

/** The order of the bar's parts: what ended first, what is to come last. */
const BAR: readonly CountName[] = ['completed', 'incomplete', 'cancelled', 'failed', 'active', 'delayed', 'waiting'];
const BAR_WIDTH = 1000;
/** A few failures among a million jobs must still be seen. */
const BAR_LEAST = 6;

export interface QueueLine {
  name: string;
  model: string | null;
}

const TOTAL = '*';

/** The table as it is first painted; `counts` is empty while nothing was read yet. */
export function queueTable(queues: readonly QueueLine[], counts: readonly QueueCounts[], totals: QueueTotals): Html {
  const regions = queueRegions(queues, counts, totals);
  const region = (name: string): Html => regions.get(name) ?? html``;
  const cells = (queue: string): Html[] =>
    COLUMNS.map(
      ({ name, title }) =>
        html`<td role="cell" class="number" data-label="${title}" data-live="${name}:${queue}">${region(`${name}:${queue}`)}</td>`,
    );
  const rows = queues.map(
    ({ name, model }) => html`<tr role="row">
<th role="rowheader" scope="row"><a href="/board/queue/${encodeURIComponent(name)}">${name}</a>
<span data-live="paused:${name}">${region(`paused:${name}`)}</span>
<small>${model ?? 'the upstream’s model'}</small>
<span class="bar" data-live="bar:${name}" aria-hidden="true">${region(`bar:${name}`)}</span>
<small class="cached" data-live="cached:${name}">${region(`cached:${name}`)}</small></th>
${cells(name)}</tr>`,
  );
  const total =
    queues.length > 1 &&
    html`<tfoot role="rowgroup"><tr role="row"><th role="rowheader" scope="row">All</th>${cells(TOTAL)}</tr></tfoot>`;
  const heads = COLUMNS.map(({ title }) => html`<th role="columnheader" scope="col" class="number">${title}</th>`);
  return html`<table role="table" class="queues" aria-labelledby="queues">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Queue</th>${heads}</tr></thead>
<tbody role="rowgroup">${rows}</tbody>${total}</table>`;
}

/** Every figure of the table by the name of its region. */
export function queueRegions(
  queues: readonly QueueLine[],
  counts: readonly QueueCounts[],
  totals: QueueTotals,
): Regions {
  const regions = new Map<string, Html>();
  const known = new Map(counts.map((one) => [one.name, one]));
  for (const { name } of queues) {
    const one = known.get(name);
    for (const column of COLUMNS) regions.set(`${column.name}:${name}`, figure(one?.[column.name], column.tone));
    regions.set(`paused:${name}`, one?.paused === true ? html`<span class="badge warn">paused</span>` : html``);
    regions.set(`bar:${name}`, one === undefined ? html`` : bar(one));
    regions.set(`cached:${name}`, cached(totals.get(name)));
  }
  for (const column of COLUMNS) {
    const sum = counts.length === 0 ? undefined : counts.reduce((total, one) => total + one[column.name], 0);
    regions.set(`${column.name}:${TOTAL}`, figure(sum, column.tone));
  }
  return regions;
}

function figure(count: number | undefined, tone: string): Html {
  if (count === undefined) return html`<span class="none">–</span>`;
  return html`<span class="${count === 0 ? 'none' : tone}">${formatCount(count)}</span>`;
}

/** Said only where the upstream caches. */
function cached(totals: ReadonlyMap<string, number> = new Map()): Html {
  const tokens = totals.get('tokens:cached') ?? 0;
  if (tokens === 0) return html``;
  return html`${formatCount(tokens)} of ${formatCount(totals.get('tokens:input') ?? 0)} input tokens were cached`;
}

/** The shares of the queue's jobs as one thin bar. It repeats the figures for the eye only. */
function bar(counts: QueueCounts): Html {
  const present = BAR.filter((name) => counts[name] > 0);
  const sum = present.reduce((total, name) => total + counts[name], 0);
  if (sum === 0) return html``;
  const widths = present.map((name) => Math.max(BAR_LEAST, (counts[name] / sum) * BAR_WIDTH));
  const scale = BAR_WIDTH / widths.reduce((total, width) => total + width, 0);
  let x = 0;
  const parts = present.map((name, index) => {
    const width = Math.round((widths[index] ?? 0) * scale * 10) / 10;
    const part = html`<rect class="share-${name}" x="${Math.round(x * 10) / 10}" width="${width}" height="4"/>`;
    x += width;
    return part;
  });
  return html`<svg viewBox="0 0 ${BAR_WIDTH} 4" preserveAspectRatio="none" focusable="false">${parts}</svg>`;
}
