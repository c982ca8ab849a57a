/**
 * Workers share what they find out of an upstream's background mode: one call that proves it serves the fleet, and that
 * an upstream cannot do it is said once, not by every call.
 */
import type { Log, UpstreamConfig } from '@millrace/core';
import { readBackground, type Store, writeBackground } from '@millrace/queue';
import type { Upstream } from '@millrace/upstream';
import { nowAndThen } from './now-and-then.ts';

/** How soon a worker hears of what another one found out. Until then it goes direct, or asks with one call. */
const LOOK_EVERY_MS = 10_000;

export interface BackgroundSharing {
  /** To be told what a call has found out. */
  learned(known: 'yes' | 'no'): void;
  /** Keeps an upstream informed; resolves when it knows what the fleet knew, or Redis is away. */
  keep(upstream: Upstream): Promise<void>;
  stop(): void;
}

/** @param name of the upstream, for the log */
export function shareBackground(
  store: Store,
  name: string,
  { baseURL, background: mode }: UpstreamConfig,
  log: Log,
): BackgroundSharing {
  const tell = nowAndThen((error) =>
    log.warn({ err: error, upstream: name }, 'What is known of an upstream could not be shared; trying again'),
  );
  let timer: NodeJS.Timeout | undefined;
  /** Looks and tellings run one after another, so that a look never brings back what was just disproved. */
  let busy: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    busy = busy.then(work).catch(tell);
    return busy;
  };
  const look = async (upstream: Upstream): Promise<void> => {
    if (store.redis.status !== 'ready') return;
    const own = upstream.background();
    const known = await readBackground(store, baseURL);
    // What was learned meanwhile is newer, and is told next.
    if (upstream.background() !== own) return;
    if (known === null && own === 'yes') await writeBackground(store, baseURL, own);
    else if (known !== own) {
      upstream.adoptBackground(known ?? 'unknown');
      if (known !== null) say(known);
    }
  };
  const say = (known: 'yes' | 'no'): void => {
    if (known === 'no') {
      log.warn(
        { upstream: name },
        'The upstream does not answer in the background: calls are made directly, and one that is cut short is made again',
      );
    } else
      log.info({ upstream: name }, 'The upstream answers in the background: calls that are cut short are carried on');
  };
  return {
    learned: (known) => {
      say(known);
      if (mode === 'auto') void inTurn(() => writeBackground(store, baseURL, known));
    },
    keep: async (upstream) => {
      if (mode !== 'auto') return;
      timer = setInterval(() => void inTurn(() => look(upstream)), LOOK_EVERY_MS);
      timer.unref();
      await inTurn(() => look(upstream));
    },
    stop: () => clearInterval(timer),
  };
}
