/**
 * The overview: what waits, runs and has ended in each queue, what of the limits is used, what failed last and why, and
 * whether Redis can be relied on.
 */
import { formatTime, timeElement } from '../format.ts';
import { type Html, html } from '../html.ts';
import type { FailureRow, Snapshot } from '../snapshot.ts';
import type { Regions } from '../viewers.ts';
import { documentOf, liveState } from './layout.ts';
import { breakerNotices, closedNotices, limitTable } from './limit-table.ts';
import { type QueueLine, queueRegions, queueTable } from './queue-table.ts';

/** The whole page, complete without its script. */
export function overviewPage(snapshot: Snapshot, queues: readonly QueueLine[], version: string): string {
  return documentOf({
    title: 'Millrace',
    version,
    here: '/',
    events: '/events',
    status: liveState(snapshot.at),
    main: html`<h1 class="visually-hidden">Overview</h1>
<div data-live="redis">${redisState(snapshot)}</div>
<div data-live="closed">${closed(snapshot)}</div>
<section aria-labelledby="queues"><h2 id="queues">Queues</h2>
${queueTable(queues, snapshot.queues, snapshot.totals)}
</section>
<section aria-labelledby="limits"><h2 id="limits">Limits</h2>
<div data-live="limits">${limitTable(snapshot.limits)}</div>
</section>
<section aria-labelledby="failures"><h2 id="failures">Last failures</h2>
<div data-live="failures">${failureTable(snapshot, snapshot.at)}</div>
</section>`,
  });
}

/** The parts of the page that change, by the name in their `data-live` attribute. */
export function overviewRegions(snapshot: Snapshot, queues: readonly QueueLine[]): Regions {
  return new Map([
    ...queueRegions(queues, snapshot.queues, snapshot.totals),
    ['redis', redisState(snapshot)],
    ['closed', closed(snapshot)],
    ['limits', limitTable(snapshot.limits)],
    // Written as of the reading, not as of now: the same failures are the same text, and are not sent again.
    ['failures', failureTable(snapshot, snapshot.failuresReadAt)],
  ]);
}

function closed({ limits, breakers }: Snapshot): Html {
  return html`${closedNotices(limits)}${breakerNotices(breakers)}`;
}

function redisState({ redis, readAt }: Snapshot): Html {
  if (redis.unfit !== null) return html`<p class="notice bad" role="alert">${redis.unfit}</p>`;
  if (!redis.reachable) {
    const asOf = readAt === null ? 'Nothing could be read yet.' : `The figures are those of ${formatTime(readAt)}.`;
    return html`<p class="notice bad" role="alert"><strong>Redis cannot be reached.</strong> Trying again every second. ${asOf}</p>`;
  }
  if (redis.durability === null) return html`<p class="notice">Redis is being looked at.</p>`;
  if (redis.durability === 'memory') {
    return html`<p class="notice warn"><strong>Redis ${redis.version} acknowledges before it has fsynced:</strong>
a crash of Redis may lose accepted jobs. Set <code>appendonly yes</code> and <code>appendfsync always</code>, or use Redis 7.2 or newer with <code>appendonly yes</code>.</p>`;
  }
  const how = redis.durability === 'always' ? 'appendfsync always' : 'WAITAOF';
  return html`<p class="notice good">Redis ${redis.version} · every job is on disk before it is acknowledged <span class="muted">(${how})</span></p>`;
}

function failureTable(snapshot: Snapshot, now: number): Html {
  if (snapshot.readAt === null) return html`<p class="empty">Not read yet.</p>`;
  if (snapshot.failures.length === 0) return html`<p class="empty">No job has failed.</p>`;
  return html`<table role="table" class="failures" aria-labelledby="failures">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">When</th><th role="columnheader" scope="col">Queue</th>
<th role="columnheader" scope="col">Model</th><th role="columnheader" scope="col">Reason</th>
<th role="columnheader" scope="col" class="number">Attempts</th><th role="columnheader" scope="col">Job</th></tr></thead>
<tbody role="rowgroup">${snapshot.failures.map((failure) => failureLine(failure, now))}</tbody></table>`;
}

/** The last hex digits tell jobs apart; the first ones are the queue's. */
const ID_TAIL = 8;

function failureLine(failure: FailureRow, now: number): Html {
  return html`<tr role="row">
<td role="cell" class="when">${timeElement(failure.finishedAt, now)}</td>
<td role="cell" data-label="Queue">${failure.queue}</td>
<td role="cell" data-label="Model"><bdi>${failure.model ?? '–'}</bdi></td>
<td role="cell" class="reason"><code>${failure.code}</code> <bdi class="line" title="${failure.message}">${failure.message}</bdi></td>
<td role="cell" class="number" data-label="Attempts">${failure.attempts}</td>
<td role="cell"><a class="id" href="/jobs/${failure.id}" aria-label="Job ${failure.id}">…${failure.id.slice(-ID_TAIL)}</a></td>
</tr>`;
}
