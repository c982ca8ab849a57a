/** The jobs of one step: how many stand where, and the first of them, those that failed before all others. */
import type { FlowStatus, JobError, JobStatus, StepState } from '@millrace/core';
import { MESSAGE_CHARACTERS } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import { formatCount } from '../format.ts';
import { type Html, html } from '../html.ts';
import { documentOf } from './layout.ts';
import { jobBadge, stepBadge } from './status-badge.ts';

export interface StepJob {
  /** Its place in the step's list, from 0. */
  index: number;
  id: string;
  /** null: it is gone. */
  status: JobStatus | null;
  error: JobError | null;
}

export interface StepView {
  flow: { id: string; name: string | null; status: FlowStatus };
  step: string;
  state: StepState;
  /** How many jobs stand where. */
  counts: ReadonlyMap<JobStatus | null, number>;
  jobs: readonly StepJob[];
}

/** The page of a step. */
export function flowStepPage({ flow, step, state, counts, jobs }: StepView, version: string): string {
  const counted = [...counts].map(([status, count]) => html`<span>${jobBadge(status)} ${formatCount(count)}</span> `);
  const omitted = state.total - jobs.length;
  return documentOf({
    title: `${step} · …${flow.id.slice(-8)} · Millrace`,
    version,
    main: html`<p class="crumbs"><a href="/flows/${flow.id}">The flow ${flow.name === null ? html`<span class="id">${flow.id}</span>` : html`<bdi>${flow.name}</bdi>`}</a></p>
<h1 id="jobs">${stepBadge(state.status, flow.status)} ${step}</h1>
<p class="counted">${counted}</p>
${omitted > 0 && html`<p class="cut">${formatCount(jobs.length)} of ${formatCount(state.total)} jobs are listed, those that failed first.</p>`}
${jobs.length === 0 ? html`<p class="empty">It has no jobs${state.status === 'waiting' && ' yet'}.</p>` : jobTable(jobs)}`,
  });
}

function jobTable(jobs: readonly StepJob[]): Html {
  const heads = ['Index', 'Job', 'Status', 'Error'];
  return html`<table role="table" class="step-jobs" aria-labelledby="jobs">
<thead role="rowgroup"><tr role="row">${heads.map((head) => html`<th role="columnheader" scope="col">${head}</th>`)}</tr></thead>
<tbody role="rowgroup">${jobs.map(jobLine)}</tbody></table>`;
}

function jobLine({ index, id, status, error }: StepJob): Html {
  return html`<tr role="row">
<td role="cell" data-label="Index">${formatCount(index)}</td>
<td role="cell" data-label="Job"><a class="id" href="/jobs/${id}" aria-label="Job ${id}">…${id.slice(-8)}</a></td>
<td role="cell" data-label="Status">${jobBadge(status)}</td>
<td role="cell" class="reason">${
    error !== null &&
    html`<code>${oneLine(String(error.code), MESSAGE_CHARACTERS)}</code> <bdi>${oneLine(String(error.message), MESSAGE_CHARACTERS)}</bdi>`
  }</td></tr>`;
}
