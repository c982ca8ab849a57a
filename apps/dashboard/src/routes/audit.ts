/** /api/audit: who did what. For operators only: it tells who works here, when, and from where. */
import { InvalidRequestError } from '@millrace/core';
import { readActs } from '@millrace/queue';
import { type Request, Router } from 'express';
import { ACTS_SHOWN, FILTER_CHARACTERS } from '../bounds.ts';
import { operatorsOnly } from '../sessions.ts';
import type { AuditView } from '../views/audit.ts';
import type { RouteTerms } from './terms.ts';

/** An id of a Redis stream. */
const ACT_ID = /^\d{1,15}-\d{1,15}$/;

export function auditRoutes({ store }: RouteTerms): Router {
  const routes = Router();
  routes.get('/', operatorsOnly, async (request, response) => {
    const [after, who, what] = [given(request, 'after'), given(request, 'who'), given(request, 'what')];
    if (after !== undefined && !ACT_ID.test(after)) {
      throw new InvalidRequestError("'after' must be the 'next' of another page.", 'after', 'invalid_value');
    }
    const page = await store.liveness.guard(() => readActs(store, { limit: ACTS_SHOWN, after, who, what }));
    const acts = page.acts.map((act) => ({ ...act, href: hrefOf(act.what, act.target) }));
    response.json({ acts, next: page.next } satisfies AuditView);
  });
  return routes;
}

function given(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && value.length <= FILTER_CHARACTERS) return value;
  throw new InvalidRequestError(
    `'${name}' must be given once, with at most ${FILTER_CHARACTERS} characters.`,
    name,
    'invalid_value',
  );
}

/** Pages by the kind of thing that an act is about; of what has no page of its own, the one that shows it. */
const PAGES: Readonly<Record<string, string>> = {
  job: '/jobs/',
  batch: '/batches/',
  flow: '/flows/',
  action: '/actions/',
  // What was ordered for the failures of a cause is an action.
  failures: '/actions/',
};
const OVERVIEW_KINDS: ReadonlySet<string> = new Set(['queue', 'limit', 'breaker']);

function hrefOf(what: string, target: string): string | null {
  const [kind = ''] = what.split('.');
  if (target === '') return null;
  if (OVERVIEW_KINDS.has(kind)) return '/';
  const page = Object.hasOwn(PAGES, kind) ? PAGES[kind] : undefined;
  return page === undefined ? null : `${page}${encodeURIComponent(target)}`;
}
