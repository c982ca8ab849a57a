/** A list as a page, the newest first: live at its beginning, fetched once further down. */
import type { ReactNode } from 'react';
import { Link, useSearchParams } from 'wouter';
import { useFetched } from '../api.ts';
import { useTopic } from '../live.ts';
import { Problem } from './problem.tsx';

interface Terms<T> {
  /** The topic of its beginning, its address, and that of its data below /api. */
  name: string;
  title: string;
  table: (view: T) => ReactNode;
}

export function ListPage<T>({ name, title, table }: Terms<T>) {
  const after = useSearchParams()[0].get('after');
  return (
    <>
      {after !== null && (
        <p className="crumbs">
          <Link href={`/${name}`}>The newest {name}</Link>
        </p>
      )}
      <h1 id={name}>{title}</h1>
      {after === null ? <Newest name={name} table={table} /> : <Older name={name} table={table} after={after} />}
    </>
  );
}

type Part<T> = Omit<Terms<T>, 'title'>;

function Newest<T>({ name, table }: Part<T>) {
  const view = useTopic<T>(name);
  return view === null ? <p className="empty">Loading…</p> : table(view);
}

function Older<T>({ name, table, after }: Part<T> & { after: string }) {
  const { data, error, again } = useFetched<T>(`/api/${name}?after=${encodeURIComponent(after)}`);
  if (error !== null) return <Problem error={error} again={again} />;
  return data === null ? <p className="empty">Loading…</p> : table(data);
}

/** @param last the id after which it goes on; undefined: nothing more is there */
export function OlderLink({ name, last }: { name: string; last: string | undefined }) {
  if (last === undefined) return null;
  return (
    <p>
      <Link href={`/${name}?after=${encodeURIComponent(last)}`}>Older {name}</Link>
    </p>
  );
}
