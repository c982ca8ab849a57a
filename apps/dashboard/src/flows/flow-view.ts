/** A flow as its page and the list show it. */
import type { FlowStep, StepState } from '@millrace/core';
import type { Flow, StepCounts } from '@millrace/queue';
import { MESSAGE_CHARACTERS } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import type { FlowHead, FlowRow, StepCard } from '../views/flows.ts';

export function flowRow({ id, status, created_at, finished_at, definition, steps }: Flow): FlowRow {
  const counts: Record<string, number> = {};
  for (const { status: one } of Object.values(steps)) counts[one] = (counts[one] ?? 0) + 1;
  return { id, name: definition.name, status, created_at, finished_at, steps: counts };
}

export function flowHead(flow: Flow, doneAt: ReadonlyMap<string, number | null>): FlowHead {
  const { id, status, created_at, finished_at, retry_of, retried_in, definition } = flow;
  const states = Object.values(flow.steps);
  const times = [...doneAt.values()];
  const known =
    status === 'in_progress' && !states.some((state) => state.status === 'waiting') && !times.includes(null);
  return {
    ...{ id, status, created_at, finished_at, retry_of, retried_in },
    ...{ name: definition.name, metadata: definition.metadata },
    done_at: known && times.length > 0 ? Math.max(...times.map(Number)) : null,
  };
}

export interface StepNow {
  /** Of one that goes on. */
  counts: StepCounts | undefined;
  doneAt: number | null;
  /** The id of its job, where it has one only. */
  job: string | null;
}

export function stepCard(flow: Flow, name: string, { counts, doneAt, job }: StepNow): StepCard {
  const { needs, forEach, onFailure, job: asked } = flow.definition.steps[name] as FlowStep;
  const state = flow.steps[name] as StepState;
  const now = counts ?? { ...state, ended: state.completed + state.failed };
  const open = (need: string): boolean => ['waiting', 'in_progress'].includes(flow.steps[need]?.status ?? '');
  return {
    name,
    // What a flow that was cancelled left behind waits for nothing.
    status: flow.status === 'cancelled' && open(name) ? 'cancelled' : state.status,
    type: String(asked['type']),
    queue: String(asked['queue'] ?? asked['type']),
    needs,
    waits_for: state.status === 'waiting' && flow.status === 'in_progress' ? needs.filter(open) : [],
    each: forEach !== undefined,
    on_failure: onFailure,
    ...{ total: state.total, ended: now.ended, completed: now.completed, failed: now.failed },
    done_at: doneAt,
    error:
      state.error === null
        ? null
        : {
            code: oneLine(String(state.error.code), MESSAGE_CHARACTERS),
            message: oneLine(String(state.error.message), MESSAGE_CHARACTERS),
          },
    tokens: state.usage === null ? null : { input: state.usage.input_tokens, output: state.usage.output_tokens },
    job,
  };
}
