/** The page of what an address names by its id: that there is such a thing is asked first, and said where there is none. */
import type { ReactNode } from 'react';
import { Link, useParams } from 'wouter';
import { useFetched } from '../api.ts';
import { Problem } from './problem.tsx';

interface Terms {
  /** Where all of them are, as an address and below /api. */
  list: string;
  /** What one of them is called. */
  called: string;
  page: (id: string) => ReactNode;
}

export function FoundPage({ list, called, page }: Terms) {
  const { id = '' } = useParams<{ id: string }>();
  // A topic that is not there would take the page's others with it.
  const { data, error, again } = useFetched<object>(`/api/${list}/${encodeURIComponent(id)}`);
  if (data !== null) return page(id);
  if (error === null) return <p className="empty">Loading…</p>;
  return (
    <>
      <p className="crumbs">
        <Link href={`/${list}`}>All {list}</Link>
      </p>
      <h1>
        {called} <bdi className="id">{id}</bdi>
      </h1>
      <Problem error={error} again={again} />
    </>
  );
}

/** Of what is not kept any more, or cannot be read now, while its page is open. */
export function NoticeOfAge({ called, gone, stale }: { called: string; gone: boolean; stale: boolean }) {
  return (
    <>
      {gone && <p className="notice warn">This {called} is not kept any more; this is what was last seen of it.</p>}
      {stale && <p className="notice warn">This may be old: it cannot be read now.</p>}
    </>
  );
}
