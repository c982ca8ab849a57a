/** One job: where it stands, what it asked for, what came of it, and every attempt on the way. */
import type { Answer, Job } from '@millrace/core';
import type { JobWithAnswer, Turn, WaitingFor } from '@millrace/queue';
import { TOOL_NAME_CHARACTERS, TURN_PARTS_SHOWN } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import { formatCount, formatDuration, formatTokens, timeElement } from '../format.ts';
import { type Html, html, type Part } from '../html.ts';
import { attemptTable } from './attempt-table.ts';
import { jobInput } from './job-input.ts';
import { documentOf } from './layout.ts';
import { metadataSection } from './metadata.ts';
import { jobBadge } from './status-badge.ts';
import { jsonBlock, textBlock } from './text-block.ts';
import { turnList } from './turn-list.ts';

/** What is shown beside the record itself. */
export interface JobContext {
  /** null: nothing that is known. */
  waitingFor: WaitingFor | null;
  turns: readonly Turn[];
  /** Milliseconds; for how long a job has been waiting or running. */
  now: number;
  version: string;
}

/** The page of a job. */
export function jobPage({ job, answer }: JobWithAnswer, { waitingFor, turns, now, version }: JobContext): string {
  const rawHref = `/jobs/${job.id}.json`;
  return documentOf({
    title: `${job.status} · …${job.id.slice(-8)} · Millrace`,
    version,
    main: html`<p class="crumbs"><a href="/board/queue/${encodeURIComponent(job.queue)}/${job.id}">In bull-board</a> · <a href="${rawHref}">As JSON</a></p>
<h1>${jobBadge(job.status)} <span class="id">${job.id}</span></h1>
${facts(job, waitingFor, now)}
${job.error !== null && errorSection(job, rawHref)}
${answer !== null && outputSection(answer, rawHref)}
${turns.length > 0 && html`<section aria-labelledby="turns"><h2 id="turns">Calls before the last</h2>${turnList(turns, job.finished_at !== null, rawHref)}</section>`}
<section aria-labelledby="attempts"><h2 id="attempts">Attempts</h2>${attemptTable(job.attempts)}</section>
<section aria-labelledby="input"><h2 id="input">Input</h2>${jobInput(job, rawHref)}</section>
${job.metadata !== null && metadataSection(job.metadata)}`,
  });
}

function facts(job: Job, waitingFor: WaitingFor | null, now: number): Html {
  const lines: [string, Part][] = [
    ['Queue', job.queue],
    ['Type', job.type],
    ['Model', job.model === null ? 'the upstream’s' : html`<bdi>${job.model}</bdi>`],
    ['Priority', `${job.priority} (0 is first, 9 last)`],
    ['Created', timeElement(job.created_at)],
  ];
  if (job.started_at !== null) lines.push(['Last started', timeElement(job.started_at)]);
  if (job.finished_at !== null) lines.push(['Finished', timeElement(job.finished_at)]);
  lines.push([
    job.finished_at === null ? 'Age' : 'Took',
    formatDuration(Math.max(0, (job.finished_at ?? now) - job.created_at)),
  ]);
  if (job.delayed_until !== null) {
    lines.push([job.attempts.length > 0 ? 'Tried again' : 'Not before', timeElement(job.delayed_until)]);
  }
  if (waitingFor !== null) lines.push(['Waits for', waitingFor.message]);
  if (job.deadline !== null) lines.push(['Deadline', timeElement(job.deadline)]);
  if (job.usage !== null) lines.push(['Tokens', formatTokens(job.usage)]);
  if (job.retry_of !== null) {
    lines.push(['Retry of', html`<a class="id" href="/jobs/${encodeURIComponent(job.retry_of)}">${job.retry_of}</a>`]);
  }
  if (job.answered_by !== null) {
    lines.push([
      'Answered by',
      html`<a class="id" href="/jobs/${encodeURIComponent(job.answered_by)}">${job.answered_by}</a> at no cost: it shared that job’s call`,
    ]);
  }
  if (job.flow !== null) {
    lines.push(['Flow', html`<a class="id" href="/flows/${encodeURIComponent(job.flow)}">${job.flow}</a>`]);
  }
  if (job.tool_calls !== null) lines.push(['Tools the upstream ran', toolCalls(job.tool_calls)]);
  return html`<dl class="facts">${lines.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** By the type of the calls: web_search_call × 2. */
function toolCalls(counts: Record<string, number>): string {
  return Object.entries(counts)
    .slice(0, TURN_PARTS_SHOWN)
    .map(([type, count]) => `${oneLine(type, TOOL_NAME_CHARACTERS)} × ${formatCount(count)}`)
    .join(', ');
}

function errorSection(job: Job, rawHref: string): Html {
  if (job.error === null) return html``;
  const { code, message, details, param, upstream_status: upstreamStatus } = job.error;
  return html`<section aria-labelledby="error" class="error"><h2 id="error">Error</h2>
<p><code>${String(code)}</code>${param ? html` at <code>${String(param)}</code>` : null}${
    upstreamStatus === undefined ? null : html` · the upstream answered ${upstreamStatus}`
  }</p>
${textBlock('Message', String(message), rawHref)}
${details !== undefined && details !== null && jsonBlock('Details', details, rawHref)}</section>`;
}

function outputSection(answer: Answer, rawHref: string): Html {
  const why = answer.response?.incomplete_details?.reason;
  const structured = answer.output_parsed !== undefined;
  return html`<section aria-labelledby="output"><h2 id="output">Output</h2>
${why === undefined ? null : html`<p class="notice warn">The answer is incomplete: <code>${String(why)}</code></p>`}
${structured && jsonBlock('Parsed', answer.output_parsed, rawHref)}
${structured ? null : textBlock('Text', String(answer.output_text ?? ''), rawHref)}</section>`;
}
