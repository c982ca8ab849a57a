/** One step of a flow as a card: where it stands, how many of its jobs came to what, what they took, what it waits for. */
import type { FlowStep, StepState } from '@millrace/core';
import type { StepCounts } from '@millrace/queue';
import { MESSAGE_CHARACTERS } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import type { FlowNow } from '../flow-reader.ts';
import { formatCount, formatTokens } from '../format.ts';
import { type Html, html } from '../html.ts';
import { stepBadge } from './status-badge.ts';

const BAR_WIDTH = 1000;

/** What is in the card of a step. */
export function stepCard({ flow, counts, onlyJobs }: FlowNow, name: string): Html {
  const step = flow.definition.steps[name] as FlowStep;
  const state = flow.steps[name] as StepState;
  return html`<h3>${name}</h3> ${stepBadge(state.status, flow.status)}
<p class="muted">${String(step.job['type'])}${step.forEach !== undefined && ', for each of a list'}${policy(step)}</p>
${step.needs.length > 0 && html`<p class="needs">after ${linksTo(step.needs)}</p>`}
${state.total > 0 && countsOf(state, counts.get(name))}
${state.usage !== null && html`<p>${formatTokens(state.usage)}</p>`}
${state.error !== null && errorOf(state.error)}
${state.total > 0 && html`<p>${jobsLink(flow.id, name, state.total, onlyJobs.get(name))}</p>`}`;
}

function policy({ onFailure }: FlowStep): string | null {
  if (onFailure === 'skip') return '; if it fails, what needs it is left out';
  return onFailure === 'continue' ? '; if it fails, the flow goes on' : null;
}

function linksTo(needs: readonly string[]): Html[] {
  return needs.map((need, index) => html`${index > 0 && ', '}<a href="#step-${need}">${need}</a>`);
}

/** While a step goes on its own record counts nothing yet. */
function countsOf({ status, total, completed, failed }: StepState, live: StepCounts | undefined): Html {
  const counts =
    status === 'in_progress' && live !== undefined ? live : { completed, failed, ended: completed + failed };
  const bar = html`<span class="bar" aria-hidden="true">${shares(counts, total)}</span>`;
  if (counts.completed === null || counts.failed === null) {
    return html`<p>${formatCount(counts.ended)} of ${formatCount(total)} ended${bar}</p>`;
  }
  const failures = counts.failed > 0 && html` · <span class="bad">${formatCount(counts.failed)} failed</span>`;
  return html`<p>${formatCount(counts.completed)} of ${formatCount(total)} done${failures}${bar}</p>`;
}

function shares({ ended, completed, failed }: StepCounts, total: number): Html {
  const width = (count: number): number => Math.round((count / total) * BAR_WIDTH);
  const parts = completed === null || failed === null ? { active: ended } : { completed, failed };
  let x = 0;
  const rects = Object.entries(parts).map(([share, count]) => {
    const rect = html`<rect class="share-${share}" x="${x}" width="${width(count)}" height="4"/>`;
    x += width(count);
    return rect;
  });
  return html`<svg viewBox="0 0 ${BAR_WIDTH} 4" preserveAspectRatio="none" focusable="false">${rects}</svg>`;
}

function errorOf({ code, message }: NonNullable<StepState['error']>): Html {
  return html`<p class="reason"><code>${oneLine(String(code), MESSAGE_CHARACTERS)}</code> <bdi>${oneLine(String(message), MESSAGE_CHARACTERS)}</bdi></p>`;
}

function jobsLink(flow: string, step: string, total: number, only: string | undefined): Html {
  return only === undefined
    ? html`<a href="/flows/${flow}/steps/${step}">Its ${formatCount(total)} jobs</a>`
    : html`<a href="/jobs/${only}" aria-label="The job of ${step}">Its job</a>`;
}
