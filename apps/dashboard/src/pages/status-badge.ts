/** Statuses in one look: the word, and a tone that repeats it. */
import type { FlowStatus, JobStatus, StepStatus } from '@millrace/core';
import { type Html, html } from '../html.ts';

const JOB_TONES: Readonly<Record<JobStatus, string>> = {
  queued: '',
  in_progress: 'active',
  completed: 'good',
  failed: 'bad',
  cancelled: '',
  incomplete: 'warn',
};

const FLOW_TONES: Readonly<Record<FlowStatus, string>> = {
  in_progress: 'active',
  completed: 'good',
  failed: 'bad',
  cancelled: '',
};

const STEP_TONES: Readonly<Record<StepStatus, string>> = {
  waiting: '',
  in_progress: 'active',
  completed: 'good',
  failed: 'bad',
  skipped: '',
};

/** null: the job is gone. */
export function jobBadge(status: JobStatus | null): Html {
  return status === null ? badge('gone', '') : badge(status, JOB_TONES[status]);
}

export function flowBadge(status: FlowStatus): Html {
  return badge(status, FLOW_TONES[status]);
}

/** A step that was not over when its flow was cancelled is not begun, or gone on with, any more: it is cancelled too. */
export function stepBadge(status: StepStatus, flow: FlowStatus): Html {
  const open = status === 'waiting' || status === 'in_progress';
  return open && flow === 'cancelled' ? badge('cancelled', '') : badge(status, STEP_TONES[status]);
}

function badge(status: string, tone: string | undefined): Html {
  return html`<span class="badge ${tone ?? ''}">${status}</span>`;
}
