/** One attempt: the stored job becomes a Responses request, is called, and comes to an Outcome. Knows nothing of Redis. */
import {
  type Audit,
  type Config,
  type ExtractBody,
  type Outcome,
  type QueueConfig,
  type Reattachable,
  recordsOf,
  type UpstreamApi,
} from '@millrace/core';
import type { Begun, Turn } from '@millrace/queue';
import {
  type EventListener,
  type RateLimitGauges,
  rateLimitGauges,
  type Started,
  type Upstream,
} from '@millrace/upstream';
import { eventsWithoutKey, outcomeWithoutKey, ownCacheKey } from './own-cache-key.ts';
import { requestOf } from './request-of.ts';
import { withTurns } from './turns/next-input.ts';

export interface AttemptInput {
  id: string;
  queue: string;
  settings: QueueConfig;
  begun: Begun;
  /** Which way it goes; what is re-attached goes by Responses. */
  api: UpstreamApi;
  /** The job's calls before this one. */
  turns: readonly Turn[];
  /** Aborted with the reason: cancelled, shutdown, or the deadline. */
  controller: AbortController;
  /** Notes what a crash of this process would need to carry on with the response instead of calling again. */
  checkpoint: (response: Reattachable) => Promise<unknown>;
  /** Told what the answer's headers say of the rate limit. */
  told: (gauges: RateLimitGauges) => void;
  /** Present: the answer is streamed, and its events are told as they come. */
  onEvent?: EventListener;
}

/** What it throws is a fault of ours; everything that the upstream can do is an Outcome. */
export type AttemptRun = (input: AttemptInput) => Promise<Outcome>;

/** Binds what every attempt of this process shares. */
export function attemptRun(config: Config, upstreams: ReadonlyMap<string, Upstream>, audit: Audit | null): AttemptRun {
  return async ({ id, queue, settings, begun, api, turns, controller, checkpoint, told, onEvent }) => {
    const upstream = upstreams.get(settings.upstream);
    if (upstream === undefined) throw new Error(`no upstream '${settings.upstream}' is open`);
    const request = requestOf(config, settings, begun);
    if ('kind' in request) return request;

    const progress = noteProgress(checkpoint, onEvent !== undefined);
    const key = ownCacheKey(request.body);
    const { promptCacheKey, history } = config.upstreams[settings.upstream] ?? {};
    const keyed = key !== null && promptCacheKey === true;
    const remembers = history === undefined;
    try {
      const asked = {
        body: withTurns(keyed ? { ...request.body, prompt_cache_key: key } : request.body, turns, remembers),
        type: begun.type,
        timeoutMs: settings.timeoutSeconds * 1000,
        signal: controller.signal,
        ...(request.zod === undefined ? {} : { zod: request.zod }),
        ...(onEvent === undefined ? {} : { onEvent: key === null ? onEvent : eventsWithoutKey(onEvent, key) }),
      };
      const called =
        begun.checkpoint === null
          ? // Whether it is made in the background is the upstream's to say: by its setting, and by what it has proved.
            await upstream.call({
              ...asked,
              api,
              stream: onEvent !== undefined,
              background: { onStarted: progress.start },
              onHeaders: (_, header) => told(rateLimitGauges(header)),
            })
          : await upstream.reattach({ ...asked, ...begun.checkpoint });
      const outcome = begun.type === 'extract' && (begun.body as ExtractBody).many ? unwrapped(called) : called;
      audit?.write({
        at: new Date().toISOString(),
        job_id: id,
        queue,
        attempt: begun.epoch,
        upstream: settings.upstream,
        api,
        request: asked.body,
        response: 'answer' in outcome ? (outcome.answer?.response ?? null) : null,
        error: 'error' in outcome ? outcome.error : null,
      });
      return key === null ? outcome : outcomeWithoutKey(outcome, key);
    } finally {
      progress.stop();
    }
  };
}

/** The list itself is what was asked for; the object around it is strict mode's. */
function unwrapped(outcome: Outcome): Outcome {
  if (outcome.kind !== 'completed') return outcome;
  const { answer } = outcome;
  return { ...outcome, answer: { ...answer, output_parsed: recordsOf(answer.output_parsed) } };
}

/** How far a long answer is behind its checkpoint at most: a crash reads no more of it again. */
const NOTE_EVERY_MS = 5000;

/**
 * Notes where a response stands: when its id is known, and as its events go by.
 * @param stored the events are stored, and each time that is done it is noted with them: nothing is read that is not there
 */
function noteProgress(
  checkpoint: AttemptInput['checkpoint'],
  stored: boolean,
): {
  start(started: Started): Promise<void>;
  stop(): void;
} {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const note = async ({ upstreamId, sequence }: Started): Promise<number | null> => {
    await checkpoint({ upstreamId, startingAfter: sequence });
    return sequence;
  };
  return {
    start: async (started) => {
      if (stored) {
        await checkpoint({ upstreamId: started.upstreamId, startingAfter: null });
        return;
      }
      let noted = await note(started);
      if (over) return;
      timer = setInterval(() => {
        if (started.sequence === noted) return;
        noted = started.sequence;
        // A note that cannot be written costs a crash some reading, and the answer nothing.
        note(started).catch(() => undefined);
      }, NOTE_EVERY_MS);
      timer.unref();
    },
    stop: () => {
      over = true;
      clearInterval(timer);
    },
  };
}
