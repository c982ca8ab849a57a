/**
 * Sessions that were signed out of, known to every dashboard by Redis. While Redis is away only the one that was asked
 * to end a session knows it: nobody could look at more than the last figures then.
 */
import { noteSignedOut, type Store, wasSignedOut } from '@millrace/queue';
import type { Response } from 'express';

const KEPT_MOST = 10_000;
/** How soon a stream ends whose session was signed out of at another dashboard. */
const LOOK_EVERY_MS = 10_000;

export interface EndedSessions {
  /** Ends a session, and what streams of it are open here. Never throws. @param endsAt its own end, ms */
  end(session: string, endsAt: number): Promise<void>;
  has(session: string): Promise<boolean>;
  /** Ends a stream with its session. */
  follow(session: string, stream: Response): void;
}

export function openEndedSessions(store: Store, lookEveryMs = LOOK_EVERY_MS): EndedSessions {
  const { alive, guard } = store.liveness;
  const here = new Set<string>();
  const streams = new Map<string, Set<Response>>();
  const has = async (session: string): Promise<boolean> => {
    if (here.has(session)) return true;
    if (!alive()) return false;
    return guard(() => wasSignedOut(store, session)).catch(() => false);
  };
  return {
    has,
    end: async (session, endsAt) => {
      if (here.size >= KEPT_MOST) here.delete(here.values().next().value as string);
      here.add(session);
      for (const stream of streams.get(session) ?? []) stream.end();
      await guard(() => noteSignedOut(store, session, endsAt)).catch((error: unknown) => {
        store.log.warn({ err: error }, 'A session was ended on this dashboard only');
      });
    },
    follow: (session, stream) => {
      const ofSession = streams.get(session) ?? new Set();
      streams.set(session, ofSession.add(stream));
      const look = async (): Promise<void> => {
        if (await has(session)) stream.end();
      };
      const timer = setInterval(() => void look(), lookEveryMs);
      stream.once('close', () => {
        clearInterval(timer);
        ofSession.delete(stream);
        if (ofSession.size === 0) streams.delete(session);
      });
    },
  };
}
