/** Jobs, newest first, by what they are looked for by. What is looked for stands in the address, and nowhere else. */
import { useRef } from 'react';
import { useSearchParams } from 'wouter';
import type { JobsView } from '../../../src/views/jobs.ts';
import { useFetched } from '../api.ts';
import { IndexState } from '../parts/index-state.tsx';
import { JobFilters } from '../parts/job-filters.tsx';
import { JobTable } from '../parts/job-table.tsx';
import { NewerJobs } from '../parts/newer-jobs.tsx';
import { Problem } from '../parts/problem.tsx';
import '../styles/jobs.css';

export default function JobsPage() {
  const [search, setSearch] = useSearchParams();
  const { data, error, again } = useFetched<JobsView>(`/api/jobs?${search}`);
  const filtered = new URLSearchParams(search);
  filtered.delete('after');
  // An address that the form did not make is another form: going back shows what was looked for then. One that it made
  // is not: whoever pressed its button keeps the focus.
  const form = useRef({ round: 0, shows: filtered.toString() });
  if (form.current.shows !== filtered.toString()) {
    form.current = { round: form.current.round + 1, shows: filtered.toString() };
  }
  const look = (filters: URLSearchParams): void => {
    if (filters.toString() === search.toString()) again();
    else {
      form.current.shows = filters.toString();
      setSearch(filters);
    }
  };
  const from = (after: string | null): string => {
    const page = new URLSearchParams(search);
    page.delete('after');
    if (after !== null) page.set('after', after);
    return `/jobs?${page}`;
  };
  return (
    <>
      <h1>Jobs</h1>
      <JobFilters
        key={form.current.round}
        search={search}
        queues={data?.queues ?? []}
        look={look}
        clear={() => setSearch(new URLSearchParams())}
      />
      {error !== null && <Problem error={error} again={again} />}
      {data === null && error === null && <p className="empty">Loading…</p>}
      {data !== null && (
        <>
          {!search.has('after') && <NewerJobs queue={search.get('queue')} loaded={data.now} again={again} />}
          <JobTable
            jobs={data.jobs}
            now={data.now}
            next={data.next}
            first={!search.has('after')}
            filtered={search.size > 0}
            hrefOf={from}
          />
          <IndexState index={data.index} indexed={data.indexed} now={data.now} />
        </>
      )}
    </>
  );
}
