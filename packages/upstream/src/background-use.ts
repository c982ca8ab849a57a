/**
 * Whether calls are made in the background: what the configuration wants, and what is known of the upstream. While
 * nothing is known, one call at a time asks; the others go direct rather than all be refused.
 */
import type { ResponsesBody, UpstreamConfig } from '@millrace/core';

/** Whether the upstream makes responses in the background. */
export type BackgroundKnown = 'unknown' | 'yes' | 'no';

export interface BackgroundUse {
  known(): BackgroundKnown;
  /** Whether a call with this body would be made in the background if it began now. */
  shouldUse(body: ResponsesBody): boolean;
  /**
   * Begins a call in the background, where it should be one: returns what ends it, to be called whatever became of it.
   * null: go direct.
   */
  enter(body: ResponsesBody): (() => void) | null;
  /** An answer says of itself whether it was made in the background. */
  learn(known: 'yes' | 'no'): void;
  /** A request was refused with `background` and accepted without. */
  learnRefused(): void;
  /** Takes over what another process has found out. */
  adopt(known: BackgroundKnown): void;
}

/** @param onLearned hears of each change of what is known, except of what was adopted. */
export function backgroundUse(
  mode: UpstreamConfig['background'],
  onLearned: (known: 'yes' | 'no') => void,
): BackgroundUse {
  let known: BackgroundKnown = 'unknown';
  /** A call is under way that began when nothing was known. */
  let asking = false;
  const shouldUse = (body: ResponsesBody): boolean => {
    // What is not stored cannot be retrieved: OpenAI refuses the two together.
    if (mode === 'off' || body['store'] === false) return false;
    return mode === 'on' || known === 'yes' || (known === 'unknown' && !asking);
  };
  const learn = (next: 'yes' | 'no'): void => {
    if (next === known) return;
    known = next;
    onLearned(next);
  };
  return {
    known: () => known,
    shouldUse,
    enter: (body) => {
      if (!shouldUse(body)) return null;
      if (known !== 'unknown') return () => undefined;
      asking = true;
      return () => {
        asking = false;
      };
    },
    learn,
    learnRefused: () => {
      // Once it is proven, a refusal is about that one request: a tool or a model that cannot do it.
      if (known === 'unknown') learn('no');
    },
    adopt: (next) => {
      known = next;
    },
  };
}
