/**
 * The text of an answer as it comes, to one page: server-sent events of what is added, until the job ends. The number of
 * pages is bounded, and one that does not read is dropped.
 */
import { once } from 'node:events';
import { ShedError } from '@millrace/core';
import { followJob, noSuchJob, queueOfJob, readJobOutline, type Store, wantEvents } from '@millrace/queue';
import type { Request, Response } from 'express';
import { MAX_FOLLOWERS } from './bounds.ts';

/** What a page is told: */
type Told =
  /** All that is told follows. `streams`: it will come piece by piece; else the call was begun without being streamed. */
  | { event: 'begin'; data: { streams: boolean } }
  | { event: 'delta'; data: { kind: 'text' | 'reasoning'; text: string } }
  /** Another attempt answers: what was told is void. */
  | { event: 'replaced'; data: object }
  | { event: 'end'; data: { status: string } }
  | { event: 'gone'; data: object };

const STUCK_MS = 30_000;
const FULL_RETRY_SECONDS = 10;
const RECONNECT_MS = 2000;

export type FollowText = (request: Request, response: Response, id: string) => Promise<void>;

export function openFollowText(store: Store): FollowText {
  const followers = new Set<Response>();
  const checkRoom = (): void => {
    if (followers.size < MAX_FOLLOWERS) return;
    throw new ShedError(503, 'Too many pages follow an answer.', 'too_many_viewers', FULL_RETRY_SECONDS);
  };
  return async (_request, response, id) => {
    checkRoom();
    const queue = queueOfJob(store, id);
    const { guard } = store.liveness;
    if (queue === undefined || (await guard(() => readJobOutline(store, id))) === null) throw noSuchJob(id);
    const streams = await guard(() => wantEvents(store, queue, id));
    // It has left meanwhile: its 'close' is over, and would never end what begins here.
    if (response.closed || response.destroyed) return;
    // Others may have come meanwhile.
    checkRoom();
    const gone = new AbortController();
    followers.add(response);
    response.once('close', () => {
      followers.delete(response);
      gone.abort();
    });
    // A write to a page that has just gone is no trouble of ours; its 'close' follows.
    response.on('error', () => undefined);
    response.set({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    response.flushHeaders();
    const tell = (told: Told): Promise<void> =>
      send(response, `event: ${told.event}\ndata: ${JSON.stringify(told.data)}\n\n`);
    await send(response, `retry: ${RECONNECT_MS}\n`);
    await tell({ event: 'begin', data: { streams } });
    try {
      await follow(tell, followJob(store, queue, id, -1, gone.signal), (text) => send(response, text));
    } finally {
      response.end();
    }
  };
}

async function follow(
  tell: (told: Told) => Promise<void>,
  followed: ReturnType<typeof followJob>,
  sayNothing: (text: string) => Promise<void>,
): Promise<void> {
  for await (const next of followed) {
    switch (next.kind) {
      case 'events':
        for (const data of deltasIn(next.frames)) await tell({ event: 'delta', data });
        break;
      case 'quiet':
        await sayNothing(': quiet\n\n');
        break;
      case 'end':
      case 'unstreamed':
        return tell({ event: 'end', data: { status: next.found.job.status } });
      case 'replaced':
      case 'trimmed':
        return tell({ event: 'replaced', data: {} });
      case 'gone':
        return tell({ event: 'gone', data: {} });
    }
  }
}

const KINDS: Readonly<Record<string, 'text' | 'reasoning'>> = {
  'response.output_text.delta': 'text',
  'response.refusal.delta': 'text',
  'response.reasoning_summary_text.delta': 'reasoning',
};

/** The pieces of text in some frames; neighbours of a kind together. */
export function deltasIn(frames: string): { kind: 'text' | 'reasoning'; text: string }[] {
  const deltas: { kind: 'text' | 'reasoning'; text: string }[] = [];
  for (const frame of frames.split('\n\n')) {
    const [, type = ''] = /^event: (.*)$/m.exec(frame) ?? [];
    const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
    const [, data] = /^data: (.*)$/m.exec(frame) ?? [];
    if (kind === undefined || data === undefined) continue;
    const { delta } = JSON.parse(data) as { delta?: unknown };
    if (typeof delta !== 'string') continue;
    const last = deltas.at(-1);
    if (last?.kind === kind) last.text += delta;
    else deltas.push({ kind, text: delta });
  }
  return deltas;
}

/** Resolves when the page can take more, or is gone. */
async function send(response: Response, text: string): Promise<void> {
  if (response.destroyed || response.closed || response.write(text)) return;
  const over = new AbortController();
  const stuck = setTimeout(() => response.destroy(), STUCK_MS);
  try {
    await Promise.race(['drain', 'close'].map((event) => once(response, event, { signal: over.signal })));
  } catch {
    // Aborted below, once one of the two has come.
  } finally {
    clearTimeout(stuck);
    over.abort();
  }
}
