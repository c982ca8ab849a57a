/** One flow: how far it is, its steps in the order in which they can run, and how to cancel it or do it again. */
import { totalUsage } from '@millrace/core';
import type { Flow } from '@millrace/queue';
import type { FlowNow } from '../flow-reader.ts';
import { formatCount, formatDuration, formatTokens, timeElement } from '../format.ts';
import { type Html, html, type Part } from '../html.ts';
import type { Regions } from '../viewers.ts';
import { documentOf, liveState } from './layout.ts';
import { metadataSection } from './metadata.ts';
import { flowBadge } from './status-badge.ts';
import { stepCard } from './step-card.ts';
import { stepLayers } from './step-layers.ts';
import { jsonBlock, textBlock } from './text-block.ts';
import { troubleNotice } from './trouble.ts';

/**
 * The page of a flow, complete without its script.
 * @param input what it was given: it may be large, so only the page as it is opened has it
 */
export function flowPage(now: FlowNow, input: unknown, version: string): string {
  const { id, definition } = now.flow;
  const rawHref = `/flows/${id}.json`;
  const regions = flowRegions(now);
  const region = (name: string): Html => html`<div data-live="${name}">${regions.get(name) ?? null}</div>`;
  return documentOf({
    title: `${definition.name ?? 'Flow'} · …${id.slice(-8)} · Millrace`,
    version,
    events: `/events/flows/${id}`,
    status: liveState(now.at),
    main: html`<p class="crumbs"><a href="/flows">All flows</a> · <a href="${rawHref}">As JSON</a></p>
<h1><span data-live="status">${regions.get('status') ?? null}</span> ${definition.name !== null && html`<bdi>${definition.name}</bdi> `}<span class="id">${id}</span></h1>
${region('trouble')}
${region('facts')}
${region('action')}
<section aria-labelledby="steps"><h2 id="steps">Steps</h2>${diagram(now.flow, regions)}</section>
${input !== null && html`<section aria-labelledby="input"><h2 id="input">Input</h2>${inputBlock(input, rawHref)}</section>`}
${definition.metadata !== null && metadataSection(definition.metadata)}`,
  });
}

/** The parts of the page that change, by the name in their `data-live` attribute. */
export function flowRegions(now: FlowNow): Regions {
  const { flow, trouble } = now;
  return new Map([
    ['trouble', troubleNotice(trouble)],
    ['status', flowBadge(flow.status)],
    ['facts', facts(flow)],
    ['action', action(flow)],
    ...Object.keys(flow.definition.steps).map((step) => [`step:${step}`, stepCard(now, step)] as const),
  ]);
}

/** A column for each layer; what a step needs stands to its left, and is named in its card. */
function diagram({ definition: { steps } }: Flow, regions: Regions): Html {
  const layers = stepLayers(steps).map(
    (layer) =>
      html`<li><ul>${layer.map((step) => html`<li class="step" id="step-${step}" data-live="step:${step}">${regions.get(`step:${step}`) ?? null}</li>`)}</ul></li>`,
  );
  return html`<div class="layers" tabindex="0" role="region" aria-labelledby="steps"><ol>${layers}</ol></div>`;
}

function facts(flow: Flow): Html {
  const states = Object.values(flow.steps);
  const over = states.filter(({ status }) => status === 'completed' || status === 'failed' || status === 'skipped');
  const usage = totalUsage(states.map((state) => state.usage));
  const lines: [string, Part][] = [
    ['Created', timeElement(flow.created_at)],
    ['Steps that are over', `${formatCount(over.length)} of ${formatCount(states.length)}`],
  ];
  if (flow.finished_at !== null) {
    lines.push(
      ['Finished', timeElement(flow.finished_at)],
      ['Took', formatDuration(Math.max(0, flow.finished_at - flow.created_at))],
    );
  }
  if (usage !== null) lines.push(['Tokens', formatTokens(usage)]);
  if (flow.retry_of !== null) {
    lines.push([
      'Retry of',
      html`<a class="id" href="/flows/${encodeURIComponent(flow.retry_of)}">${flow.retry_of}</a>`,
    ]);
  }
  return html`<dl class="facts">${lines.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** The dashboard only looks: what changes a flow is a command for the API, as everywhere here. */
function action({ id, status }: Flow): Html {
  if (status === 'completed') return html``;
  const [what, verb] =
    status === 'in_progress'
      ? ['To cancel it, with its jobs that have not ended:', 'cancel']
      : ['To do it again, without the steps that are completed:', 'retry'];
  return html`<p class="notice">${what} <code class="command">curl -X POST http://127.0.0.1:7070/v1/flows/${id}/${verb}</code>
<span class="muted">(the API’s address; with keys, an operator’s)</span></p>`;
}

function inputBlock(input: unknown, rawHref: string): Html {
  return typeof input === 'string' ? textBlock('Text', input, rawHref) : jsonBlock('JSON', input, rawHref);
}
