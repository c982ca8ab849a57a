/** What is done to many jobs at once, for the pages: how far it is, and what became of the first jobs it made. */
import type { Job } from '@millrace/core';
import { type Action, listActions, readAction, readWithin, type Store } from '@millrace/queue';
import { MESSAGE_CHARACTERS } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import type { ActionDetailView, ActionsView, ActionView } from '../views/actions.ts';

const SHOWN = 20;
/** Of the first jobs: their records and short answers, never a request. */
const FIRST = { bodyBytes: 0, answerBytes: 64 * 1024, batchBytes: 2 * 1024 ** 2 };

export async function readActions(store: Store): Promise<ActionsView> {
  return { actions: (await listActions(store, SHOWN)).map(actionView) };
}

export async function readActionDetail(store: Store, id: string): Promise<ActionDetailView> {
  const action = await readAction(store, id);
  if (action === null) return { action: null, first: [] };
  const first: ActionDetailView['first'] = [];
  for await (const part of readWithin(store, action.first, FIRST)) {
    for (const { job, answer } of part) {
      const output = answer === null ? null : oneLine(answer.output_text, MESSAGE_CHARACTERS);
      first.push({ id: job.id, status: job.status, error: errorOf(job), output });
    }
  }
  return { action: actionView(action), first };
}

const errorOf = ({ error }: Job): string | null =>
  error === null ? null : oneLine(String(error.message), MESSAGE_CHARACTERS);

export function actionView(action: Action): ActionView {
  const { id, kind, status, what, cause, edit, total, done, made, skipped, failed, skips, errors, held } = action;
  return {
    ...{ id, kind, status, what, cause, edit, total, done, made, skipped, failed, skips, errors, held },
    ...{ by: action.key, createdAt: action.created_at, endedAt: action.ended_at },
  };
}
