/** The flows, newest first: where each stands, and how far its steps are. The first page is live. */
import { Link } from 'wouter';
import type { FlowRow, FlowsView } from '../../../src/views/flows.ts';
import { formatCount, formatDuration } from '../format.ts';
import { Ago } from '../parts/ago.tsx';
import { ColumnHeads } from '../parts/column-heads.tsx';
import { ListPage, OlderLink } from '../parts/list-page.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { StatusBadge } from '../parts/status-badge.tsx';
import '../styles/flows.css';

export default function FlowsPage() {
  return <ListPage<FlowsView> name="flows" title="Flows" table={(view) => <FlowTable view={view} />} />;
}

function FlowTable({ view: { flows, more } }: { view: FlowsView }) {
  if (flows.length === 0) {
    return (
      <p className="empty">
        No flows yet. A flow is made by <code>POST /v1/flows</code>, of steps that use each other’s answers.
      </p>
    );
  }
  return (
    <>
      <table className="flows" aria-labelledby="flows">
        <ColumnHeads heads={['Flow', 'Status', 'Steps', 'Created', 'Took']} />
        <tbody>
          {flows.map((flow) => (
            <Row key={flow.id} flow={flow} />
          ))}
        </tbody>
      </table>
      <OlderLink name="flows" last={more ? flows.at(-1)?.id : undefined} />
    </>
  );
}

function Row({ flow }: { flow: FlowRow }) {
  const { id, name, status, steps, created_at, finished_at } = flow;
  const total = Object.values(steps).reduce((sum, count) => sum + count, 0);
  const { completed = 0, failed = 0, skipped = 0, in_progress = 0 } = steps;
  return (
    <tr>
      <th scope="row">
        <Link href={`/flows/${id}`}>{name === null ? <span className="id">{id}</span> : <bdi>{name}</bdi>}</Link>
        {name !== null && <small className="under id">…{id.slice(-8)}</small>}
      </th>
      <td data-label="Status">
        <StatusBadge status={status} />
      </td>
      <td data-label="Steps">
        {formatCount(completed)} of {formatCount(total)} completed
        {failed > 0 && <span className="bad"> · {formatCount(failed)} failed</span>}
        {skipped > 0 && ` · ${formatCount(skipped)} skipped`}
        {in_progress > 0 && status === 'in_progress' && ` · ${formatCount(in_progress)} in progress`}
        <ProgressBar total={total} completed={completed} failed={failed} />
      </td>
      <td data-label="Created">
        <Ago at={created_at} />
      </td>
      <td data-label="Took">{finished_at === null ? '–' : formatDuration(Math.max(0, finished_at - created_at))}</td>
    </tr>
  );
}
