/** The workers alive, and of which version each is: more than one is said, as a rollout that stopped half way looks so. */
import type { LiveWorker } from '@millrace/queue';
import { formatCount } from '../format.ts';
import { Ago } from './ago.tsx';

/** Of a larger fleet the first by name are listed. */
const LISTED = 20;

export function WorkerTable({ workers }: { workers: readonly LiveWorker[] }) {
  if (workers.length === 0) return <p className="empty">No worker is alive.</p>;
  return (
    <>
      <table className="overview-workers" aria-labelledby="workers">
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">Version</th>
            <th scope="col">Started</th>
            <th scope="col">Runs at once</th>
          </tr>
        </thead>
        <tbody>
          {workers.slice(0, LISTED).map(({ id, self }) => (
            <tr key={id}>
              <th scope="row">
                <bdi>{self === null ? id : `${self.host} · ${self.pid}`}</bdi>
              </th>
              <td data-label="Version">{self?.version ?? 'not told'}</td>
              <td data-label="Started">{self === null ? '–' : <Ago at={self.startedAt} />}</td>
              <td data-label="Runs at once">
                {Object.entries(self?.concurrency ?? {})
                  .map(([queue, count]) => `${queue} ${formatCount(count)}`)
                  .join(', ') || '–'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {workers.length > LISTED && <p className="cut">{formatCount(workers.length - LISTED)} more are not listed.</p>}
    </>
  );
}

/** 0.1.0, or 0.1.0 × 3, 0.2.0 × 1. */
export function versionsOf(workers: readonly LiveWorker[]): string {
  const counts = new Map<string, number>();
  for (const { self } of workers) {
    const version = self?.version ?? 'not told';
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  if (counts.size === 1) return `version ${[...counts.keys()][0]}`;
  return [...counts].map(([version, count]) => `${version} × ${count}`).join(', ');
}
