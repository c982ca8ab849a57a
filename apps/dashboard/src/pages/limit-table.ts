/** The limits: what of each model's minute is used, who waits, and in words what keeps a limit closed. */
import type { BreakerStatus, GroupStatus, KindStatus, LimitStatus, LimitsStatus } from '@millrace/queue';
import { formatCount, formatDuration, timeElement } from '../format.ts';
import { type Html, html } from '../html.ts';

/** Models shown; the API tells of all. */
const ROWS_SHOWN = 30;
const BAR_WIDTH = 1000;
const MINUTE_MS = 60_000;

const CLOSED: Record<NonNullable<LimitStatus['closed']>['why'], string> = {
  insufficient_quota: 'the upstream says that the account’s quota is used up (insufficient_quota)',
  unauthorized: 'the upstream refuses the key (unauthorized)',
};

/** A notice for each limit that is closed as a whole. The same as long as it is closed, so it is read aloud once. */
export function closedNotices(limits: LimitsStatus | null): Html {
  const closed = limits?.limits.filter((limit) => limit.closed !== null) ?? [];
  return html`${closed.map(closedNotice)}`;
}

function closedNotice({ name, closed }: LimitStatus): Html {
  if (closed === null) return html``;
  return html`<p class="notice bad" role="alert"><strong>The limit ‘${name}’ is closed</strong> since ${timeElement(closed.since)}: ${CLOSED[closed.why]}.
Its jobs wait and use up no attempt; one call a minute finds out whether it is mended. To open it at once:
<code class="command">curl -X POST http://127.0.0.1:7070/v1/limits/${name}/resume</code>
<span class="muted">(the API’s address; with keys, an operator’s)</span></p>`;
}

/** A notice for each upstream whose breaker is not closed. The same until it turns, so it is read aloud once. */
export function breakerNotices(breakers: ReadonlyMap<string, BreakerStatus>): Html {
  const open = [...breakers].filter(([, { state }]) => state !== 'closed');
  return html`${open.map(([upstream, { state, since }]) =>
    state === 'open'
      ? html`<p class="notice bad" role="alert"><strong>Calls to ‘${upstream}’ fail</strong> since ${timeElement(since ?? 0)}: its circuit breaker is open.
Its jobs wait and use up no attempt; a probe now and then finds out whether it is back.</p>`
      : html`<p class="notice warn" role="status"><strong>‘${upstream}’ is back</strong> since ${timeElement(since ?? 0)}: its calls come back step by step.</p>`,
  )}`;
}

/** The table; null while nothing was read yet. */
export function limitTable(status: LimitsStatus | null): Html {
  if (status === null) return html`<p class="empty">Not read yet.</p>`;
  const rows = status.limits.flatMap((limit) =>
    limit.groups.length === 0
      ? [emptyRow(limit)]
      : limit.groups.map((group, index) => row(limit, group, index === 0, status.now)),
  );
  const head = (title: string, kind = ''): Html =>
    html`<th role="columnheader" scope="col" class="${kind}">${title}</th>`;
  return html`<table role="table" class="limits" aria-labelledby="limits">
<thead role="rowgroup"><tr role="row">${head('Model')}${head('Requests, last minute', 'number')}${head('Tokens, last minute', 'number')}${head('In flight', 'number')}${head('Waiting')}</tr></thead>
<tbody role="rowgroup">${rows.slice(0, ROWS_SHOWN)}</tbody></table>
${rows.length > ROWS_SHOWN && html`<p class="cut">${formatCount(rows.length - ROWS_SHOWN)} more models are not shown.</p>`}`;
}

function emptyRow(limit: LimitStatus): Html {
  const { requestsPerMinute: requests, tokensPerMinute: tokens } = limit.config;
  const most = (count: number | undefined): Html =>
    count === undefined ? html`<span class="none">–</span>` : html`<span class="none">of ${formatCount(count)}</span>`;
  return html`<tr role="row"><th role="rowheader" scope="row">${limit.name} ${closedBadge(limit)}<small class="under">not used yet</small></th>
<td role="cell" class="number" data-label="Requests, last minute">${most(requests)}</td>
<td role="cell" class="number" data-label="Tokens, last minute">${most(tokens)}</td>
<td role="cell" class="number" data-label="In flight">${inFlight(limit)}</td>
<td role="cell" data-label="Waiting"><span class="none">–</span></td></tr>`;
}

/** Calls in flight are counted for the limit as a whole: shown once. */
function row(limit: LimitStatus, group: GroupStatus, isFirst: boolean, now: number): Html {
  return html`<tr role="row"><th role="rowheader" scope="row"><bdi>${group.group || 'the upstream’s model'}</bdi> ${closedBadge(limit)}<small class="under">limit ${limit.name}</small></th>
<td role="cell" class="number" data-label="Requests, last minute">${kindCell(group, group.requests, now)}</td>
<td role="cell" class="number" data-label="Tokens, last minute">${kindCell(group, group.tokens, now)}</td>
<td role="cell" class="number" data-label="In flight">${isFirst ? inFlight(limit) : html`<span class="none">as above</span>`}</td>
<td role="cell" data-label="Waiting">${waiting(group, now)}</td></tr>`;
}

function closedBadge({ closed }: LimitStatus): Html {
  return closed === null ? html`` : html`<span class="badge bad">closed</span>`;
}

function inFlight({ inFlight: count, config }: LimitStatus): Html {
  const most = config.inFlight === undefined ? '' : ` of ${formatCount(config.inFlight)}`;
  return html`<span class="${count === 0 ? 'none' : 'active'}">${formatCount(count)}</span>${most}`;
}

/** How much of a minute was used, as figure and gauge, and whose number the limit is. */
function kindCell({ told }: GroupStatus, kind: KindStatus, now: number): Html {
  const { limit, configured, learned, used, usedSince, remaining, lowSince } = kind;
  const figure = used === null || usedSince === null ? null : perMinute(used, now - usedSince);
  const shown = figure === null ? html`<span class="none">–</span>` : html`${formatCount(figure)}`;
  if (limit === null) {
    return html`${shown}<small class="under">${told === null ? 'to be learned' : 'not limited'}</small>`;
  }
  const whose = configured === limit ? 'configured' : 'learned';
  const other =
    configured !== null && learned !== null && configured !== learned
      ? `, ${whose === 'configured' ? 'upstream' : 'configured'} ${formatCount(whose === 'configured' ? learned : configured)}`
      : '';
  const left = remaining === null ? '' : ` · ${formatCount(Math.floor(remaining))} left`;
  return html`${shown} of ${formatCount(Math.floor(limit))} ${lowSince !== null && html`<span class="badge warn">low</span>`}
<span class="bar" aria-hidden="true">${gauge((figure ?? 0) / limit)}</span><small class="under">${whose}${other}${left}</small>`;
}

/** Until a minute was watched it is what a minute of the same would be, once there is enough of it to tell. */
function perMinute(used: number, ms: number): number | null {
  const LEAST_MS = 5000;
  if (ms < LEAST_MS) return null;
  return Math.round((used * MINUTE_MS) / Math.max(ms, 1));
}

function gauge(share: number): Html {
  const width = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  return html`<svg viewBox="0 0 ${BAR_WIDTH} 4" preserveAspectRatio="none" focusable="false"><rect class="share-active" width="${width}" height="4"/></svg>`;
}

function waiting({ closedUntil, waiting: line }: GroupStatus, now: number): Html {
  if (closedUntil !== null) {
    return html`<span class="badge warn">paused</span> <span class="line">by a 429, for ${formatDuration(closedUntil - now)}</span>`;
  }
  if (line === null) return html`<span class="none">–</span>`;
  const what = { requests: 'requests', tokens: 'tokens', in_flight: 'a call to end', learning: 'the first answers' };
  const workers = line.processes === 1 ? '1 worker' : `${formatCount(line.processes)} workers`;
  const time = line.until === null ? '' : `, ${formatDuration(Math.max(0, line.until - now))}`;
  return html`${workers} for ${what[line.scarce]}${time}`;
}
