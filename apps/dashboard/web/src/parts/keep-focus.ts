/** Whoever works by keyboard keeps a place when what was pressed is gone: the focus goes to the page, not to nowhere. */
import { type RefObject, useLayoutEffect } from 'react';

/** Gives the focus to the page when `place` goes with the focus in it. */
export function useKeptFocus(place: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const element = place.current;
    return () => {
      if (element?.contains(document.activeElement)) document.getElementById('main')?.focus({ preventScroll: true });
    };
  }, [place]);
}
