/**
 * A page whose code is fetched when it is first opened. Not by React's `lazy`: that holds back what has come for 300 ms,
 * and leaves nothing of the whole where it does not come.
 */
import { type ComponentType, useEffect, useState } from 'react';
import { Problem } from './problem.tsx';

/** @param load fetches the file whose default export is the page */
export function fetchedPage(load: () => Promise<{ default: ComponentType }>): ComponentType {
  let Fetched: ComponentType | null = null;
  // biome-ignore lint/correctness/noComponentHookFactories: called once for each page, as its file is read
  return function FetchedPage() {
    const [, setCame] = useState(Fetched !== null);
    const [error, setError] = useState<Error | null>(null);
    useEffect(() => {
      if (Fetched !== null) return;
      load().then((module) => {
        Fetched = module.default;
        setCame(true);
      }, setError);
    }, []);
    if (error !== null) return <Problem error={error} />;
    return Fetched === null ? <p className="empty">Loading…</p> : <Fetched />;
  };
}
