/** The attempts of a job: every call that was made, what it came to, what it took, and whether it may be on the bill. */
import type { Attempt } from '@millrace/core';
import { ATTEMPTS_SHOWN, MESSAGE_CHARACTERS } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import { formatCount, formatDuration, timeElement } from '../format.ts';
import { type Html, html } from '../html.ts';

const TONES: Readonly<Record<string, string>> = {
  completed: 'good',
  incomplete: 'warn',
  failed: 'bad',
  retry: 'warn',
};

/** The newest attempts, in order. */
export function attemptTable(attempts: readonly Attempt[]): Html {
  if (attempts.length === 0) return html`<p class="empty">None yet.</p>`;
  const shown = attempts.slice(-ATTEMPTS_SHOWN);
  const omitted = attempts.length - shown.length;
  return html`${omitted > 0 && html`<p class="cut">The first ${formatCount(omitted)} attempts are not shown.</p>`}
<table role="table" class="attempts" aria-labelledby="attempts">
<thead role="rowgroup"><tr role="row">${[
    'No.',
    'Started',
    'Took',
    'Outcome',
    'Reason',
    'Tokens in / out',
    'Possibly billed',
    'Worker',
  ].map((title) => html`<th role="columnheader" scope="col">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${shown.map(attemptLine)}</tbody></table>`;
}

function attemptLine(attempt: Attempt): Html {
  const { finished_at: finishedAt, outcome, usage, error } = attempt;
  const took = finishedAt === null ? 'running' : formatDuration(finishedAt - attempt.started_at);
  const tokens = usage === null ? '–' : `${formatCount(usage.input_tokens)} / ${formatCount(usage.output_tokens)}`;
  const cached = usage?.input_tokens_details?.cached_tokens ?? 0;
  return html`<tr role="row">
<th role="rowheader" scope="row" data-label="No.">${attempt.number}</th>
<td role="cell" data-label="Started">${timeElement(attempt.started_at)}</td>
<td role="cell" data-label="Took">${took}</td>
<td role="cell" data-label="Outcome"><span class="badge ${TONES[outcome ?? ''] ?? ''}">${outcome ?? 'running'}</span>${
    finishedAt !== null && !attempt.counted && html` <small>not counted</small>`
  }</td>
<td role="cell" data-label="Reason" class="reason">${attempt.reason === null ? '–' : html`<code>${attempt.reason}</code>`}
${error !== null && html`<bdi class="line" title="${oneLine(String(error.message), MESSAGE_CHARACTERS)}">${oneLine(String(error.message), MESSAGE_CHARACTERS)}</bdi>`}</td>
<td role="cell" data-label="Tokens in / out">${tokens}${cached > 0 && html`<small class="under">${formatCount(cached)} cached</small>`}</td>
<td role="cell" data-label="Possibly billed">${attempt.possibly_billed ? html`<span class="badge warn">possibly</span>` : 'no'}</td>
<td role="cell" data-label="Worker"><bdi>${attempt.worker}</bdi></td>
</tr>`;
}
