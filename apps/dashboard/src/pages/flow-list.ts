/** The flows, newest first: where each stands, and how far its steps are. */
import type { Flow } from '@millrace/queue';
import type { FlowList } from '../flow-reader.ts';
import { formatCount, formatDuration, timeElement } from '../format.ts';
import { type Html, html } from '../html.ts';
import type { Regions } from '../viewers.ts';
import { documentOf, liveState } from './layout.ts';
import { flowBadge } from './status-badge.ts';
import { troubleNotice } from './trouble.ts';

/**
 * A page of the list.
 * @param isFirst it shows the newest, and is live
 */
export function flowListPage(list: FlowList, isFirst: boolean, version: string): string {
  const regions = flowListRegions(list);
  const region = (name: string): Html => html`<div data-live="${name}">${regions.get(name) ?? null}</div>`;
  return documentOf({
    title: 'Flows · Millrace',
    version,
    here: '/flows',
    ...(isFirst ? { events: '/events/flows', status: liveState(list.at) } : {}),
    main: html`${!isFirst && html`<p class="crumbs"><a href="/flows">The newest flows</a></p>`}
<h1 id="flows">Flows</h1>
${region('trouble')}
${region('flows')}`,
  });
}

/** The parts of the page that change, by the name in their `data-live` attribute. */
export function flowListRegions(list: FlowList): Regions {
  return new Map([
    ['trouble', troubleNotice(list.trouble)],
    ['flows', flowTable(list)],
  ]);
}

function flowTable({ flows, more }: FlowList): Html {
  if (flows.length === 0) {
    return html`<p class="empty">None. A flow is made by <code>POST /v1/flows</code>.</p>`;
  }
  const heads = ['Flow', 'Status', 'Steps', 'Created', 'Took'];
  return html`<table role="table" class="flows" aria-labelledby="flows">
<thead role="rowgroup"><tr role="row">${heads.map((head) => html`<th role="columnheader" scope="col">${head}</th>`)}</tr></thead>
<tbody role="rowgroup">${flows.map(flowLine)}</tbody></table>
${more && html`<p><a href="/flows?after=${flows.at(-1)?.id ?? ''}">Older flows</a></p>`}`;
}

function flowLine(flow: Flow): Html {
  const { id, definition } = flow;
  const took = flow.finished_at === null ? '–' : formatDuration(Math.max(0, flow.finished_at - flow.created_at));
  return html`<tr role="row">
<th role="rowheader" scope="row"><a href="/flows/${id}">${definition.name === null ? html`<span class="id">${id}</span>` : html`<bdi>${definition.name}</bdi>`}</a>
${definition.name !== null && html`<small class="under id">…${id.slice(-8)}</small>`}</th>
<td role="cell" data-label="Status">${flowBadge(flow.status)}</td>
<td role="cell" data-label="Steps">${stepsOf(flow)}</td>
<td role="cell" data-label="Created">${timeElement(flow.created_at)}</td>
<td role="cell" data-label="Took">${took}</td></tr>`;
}

/** 3 of 5 completed · 1 failed · 1 in progress. */
function stepsOf(flow: Flow): Html {
  const states = Object.values(flow.steps);
  const count = (one: string): number => states.filter(({ status }) => status === one).length;
  const [failed, skipped, running] = [count('failed'), count('skipped'), count('in_progress')];
  return html`${formatCount(count('completed'))} of ${formatCount(states.length)} completed${
    failed > 0 && html` · <span class="bad">${formatCount(failed)} failed</span>`
  }${skipped > 0 && ` · ${formatCount(skipped)} skipped`}${
    running > 0 && flow.status === 'in_progress' && ` · ${formatCount(running)} in progress`
  }`;
}
