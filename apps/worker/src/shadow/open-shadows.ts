/**
 * A share of a queue's jobs is, once they are answered, asked of the other API too, and both answers are kept to be
 * compared. No job waits for that, pays for it or fails by it: it uses what its limit has left, and is dropped where that
 * is nothing.
 */
import {
  type Audit,
  chatRequestOf,
  type Log,
  type Outcome,
  type QueueConfig,
  type ResponsesBody,
  type UpstreamApi,
} from '@millrace/core';
import {
  type Begun,
  countDropped,
  type DropReason,
  type Store,
  type StoreQueue,
  type Ticket,
  writeShadow,
} from '@millrace/queue';
import type { AbortReason, Upstream } from '@millrace/upstream';
import type { Admission } from '../admission.ts';
import { pointOf } from '../choose-api.ts';
import { nowAndThen } from '../now-and-then.ts';
import { type JobRequest, requestOf } from '../request-of.ts';
import type { Routing } from '../routing.ts';
import { within } from '../within.ts';
import { pairOf } from './pair-of.ts';

/** A job that has ended by its attempt's one call. */
export interface EndedJob {
  id: string;
  queue: StoreQueue;
  settings: QueueConfig;
  begun: Begun;
  ticket: Ticket;
  /** Which way it went. */
  api: UpstreamApi;
  /** How long its call took. */
  callMs: number;
  outcome: Outcome;
}

export interface Shadows {
  /** Never throws, and never waits. */
  offer(job: EndedJob): void;
  /** Calls off what is under way. */
  close(): Promise<void>;
}

export interface ShadowTerms {
  store: Store;
  upstreams: ReadonlyMap<string, Upstream>;
  admission: Admission;
  routing: Routing;
  audit: Audit | null;
  log: Log;
}

/** In this process, those that wait for their turn included; each holds its request. */
const MOST_AT_A_TIME = 20;
/** One that has not had its turn by then makes room for a newer one. */
const PATIENCE_MS = 60_000;
/** For what is called off to end; with Redis away its counting may hang. */
const CLOSE_BOUND_MS = 2000;
/** After a 429 that does not say for how long. */
const REST_MS = 1000;
/** Failures of the job's that no API has any part in. */
const OUR_OWN: ReadonlySet<string> = new Set(['internal', 'deadline_exceeded', 'shutdown', 'lost', 'crashed']);

export function openShadows({ store, upstreams, admission, routing, audit, log }: ShadowTerms): Shadows {
  const tell = nowAndThen((error) => log.warn({ err: error }, 'Two answers could not be compared; jobs go on'));
  const running = new Map<AbortController, Promise<void>>();
  /** By upstream, performance.now() until which it wants no more. */
  const restUntil = new Map<string, number>();
  let closed = false;

  const drop = (queue: StoreQueue, why: DropReason): void => {
    countDropped(store, queue, why).catch(tell);
  };

  const compare = async (job: EndedJob, request: JobRequest, controller: AbortController): Promise<void> => {
    const { id, queue, settings, begun, ticket, api, callMs } = job;
    const { signal } = controller;
    const upstream = upstreams.get(settings.upstream);
    if (upstream === undefined) return;
    const patience = setTimeout(stop, PATIENCE_MS, controller);
    const place = await admission.admitSpare(settings, { id: `${id} shadow`, ticket, signal });
    clearTimeout(patience);
    if (place.kind === 'aborted') return drop(queue, closed ? 'stopped' : 'late');
    if (place.kind !== 'admitted') return drop(queue, 'held');
    const other = api === 'chat' ? 'responses' : 'chat';
    const began = performance.now();
    const outcome = await upstream.call({
      ...{ ...request, type: begun.type, timeoutMs: settings.timeoutSeconds * 1000, signal },
      api: other,
    });
    place.settle(outcome);
    audit?.write({
      ...{ at: new Date().toISOString(), job_id: id, queue: queue.name, attempt: begun.epoch },
      ...{ upstream: settings.upstream, api: other, shadow: true, request: request.body },
      response: 'answer' in outcome ? (outcome.answer?.response ?? null) : null,
      error: 'error' in outcome ? outcome.error : null,
    });
    if (outcome.kind === 'cancelled' || outcome.kind === 'interrupted') return drop(queue, 'stopped');
    if (outcome.kind === 'retry' && outcome.reason === 'rate_limited') {
      // That there are too many calls is no answer to compare.
      restUntil.set(settings.upstream, performance.now() + Math.max(REST_MS, outcome.afterMs));
      return drop(queue, 'held');
    }
    const called = { outcome, ms: performance.now() - began };
    const own = { outcome: job.outcome, ms: callMs };
    const calls = other === 'chat' ? { responses: own, chat: called } : { responses: called, chat: own };
    const model = begun.model ?? settings.model ?? null;
    await writeShadow(store, queue, pairOf({ id, model, api, calls }));
  };

  return {
    offer: (job) => {
      const { id, queue, settings } = job;
      const { shadow } = routing.of(queue.name);
      // By a hash of its own: which way a job goes must not decide whether it is compared.
      if (shadow === undefined || pointOf(`shadow ${id}`) >= shadow.share || closed) return;
      const request = comparable(store, job);
      if (request === null) return;
      if (running.size >= MOST_AT_A_TIME) return drop(queue, 'busy');
      if ((restUntil.get(settings.upstream) ?? 0) > performance.now()) return drop(queue, 'held');
      const controller = new AbortController();
      const over = compare(job, request, controller)
        .catch(tell)
        .finally(() => running.delete(controller));
      running.set(controller, over);
    },
    close: async () => {
      closed = true;
      for (const controller of running.keys()) stop(controller);
      await within(CLOSE_BOUND_MS, Promise.all(running.values()));
    },
  };
}

function stop(controller: AbortController): void {
  controller.abort({ kind: 'shutdown' } satisfies AbortReason);
}

/** What is sent once more; null where it may not be kept, cannot be asked both ways, or would have an effect twice. */
function comparable(store: Store, { settings, begun, outcome }: EndedJob): JobRequest | null {
  if ('reason' in outcome && OUR_OWN.has(outcome.reason)) return null;
  const request = requestOf(store.config, settings, begun);
  if ('kind' in request || request.body['store'] === false) return null;
  if (callsOurTools(store, request.body) || 'fault' in chatRequestOf(request.body)) return null;
  return request;
}

function callsOurTools({ config }: Store, { tools }: ResponsesBody): boolean {
  return (Array.isArray(tools) ? tools : []).some(({ name }) => Object.hasOwn(config.tools, String(name)));
}
