/** Who did what, the newest first. For operators only, as it tells who works here, when and from where. */
import { type FormEvent, useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import type { ActView, AuditView } from '../../../src/views/audit.ts';
import { useFetched } from '../api.ts';
import { formatTime } from '../format.ts';
import { Problem } from '../parts/problem.tsx';
import { useOperator } from '../session.tsx';
import '../styles/audit.css';

export default function AuditPage() {
  const operator = useOperator();
  const search = useSearch();
  return (
    <>
      <h1>Audit</h1>
      <p className="lead muted">
        Everything that was changed here or through the API’s operator verbs, and who signed in: the newest 10,000 acts.
        For operators only.
      </p>
      {operator ? (
        <Acts key={search} search={search} />
      ) : (
        <p className="notice">You are signed in as a viewer. The audit list is for operators.</p>
      )}
    </>
  );
}

function Acts({ search }: { search: string }) {
  const asked = new URLSearchParams(search);
  const { data, error, again } = useFetched<AuditView>(`/api/audit?${asked}`);
  const filtered = asked.has('who') || asked.has('what');
  return (
    <>
      <Filter who={asked.get('who') ?? ''} what={asked.get('what') ?? ''} />
      {error !== null && <Problem error={error} again={again} />}
      {data !== null && data.acts.length > 0 && <Table acts={data.acts} />}
      {data !== null && data.acts.length === 0 && (
        <p className="empty">
          {filtered
            ? 'Nothing here that fits.'
            : 'Nothing was done yet. Pausing a queue, retrying a job or signing in stands here from then on.'}
        </p>
      )}
      {data !== null && (
        <p className="pager">
          {asked.has('after') && <Link href={hrefAfter(asked, null)}>Newest</Link>}
          {data.next !== null && <Link href={hrefAfter(asked, data.next)}>Older</Link>}
        </p>
      )}
    </>
  );
}

function hrefAfter(asked: URLSearchParams, after: string | null): string {
  const next = new URLSearchParams(asked);
  if (after === null) next.delete('after');
  else next.set('after', after);
  return next.size === 0 ? '/audit' : `/audit?${next}`;
}

function Filter({ who, what }: { who: string; what: string }) {
  const [, go] = useLocation();
  const [fields, setFields] = useState({ who, what });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const given = Object.entries(fields).filter(([, value]) => value.trim() !== '');
    const query = new URLSearchParams(given.map(([name, value]) => [name, value.trim()]));
    go(query.size === 0 ? '/audit' : `/audit?${query}`);
  };
  return (
    <form className="acts-filter" onSubmit={submit}>
      <label>
        Who
        <input value={fields.who} onChange={(event) => setFields({ ...fields, who: event.target.value })} />
      </label>
      <label>
        What
        <input
          value={fields.what}
          placeholder="queue.pause, or job"
          onChange={(event) => setFields({ ...fields, what: event.target.value })}
        />
      </label>
      <button type="submit">Filter</button>
      {(who !== '' || what !== '') && <Link href="/audit">All</Link>}
    </form>
  );
}

function Table({ acts }: { acts: readonly ActView[] }) {
  return (
    <table className="acts">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">To what</th>
          <th scope="col">Detail</th>
        </tr>
      </thead>
      <tbody>
        {acts.map((act) => (
          <tr key={act.id}>
            <td data-label="When" className="when">
              <time dateTime={new Date(act.at).toISOString()}>{formatTime(act.at)}</time>
            </td>
            <td data-label="Who">
              {act.who === '' ? <span className="none">without a key</span> : act.who} <small>{act.role}</small>
            </td>
            <td data-label="What">
              <span className={`badge ${act.what.endsWith('.refused') ? 'warn' : ''}`}>{act.what}</span>
            </td>
            <td data-label="To what" className="id">
              {act.href === null ? act.target : <Link href={act.href}>{act.target}</Link>}
            </td>
            <td data-label="Detail">{act.detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
