/** What can be done with a job: cancel it while it runs; once it has ended, do it again as it was or edited. */
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { JobPageView } from '../../../src/views/job.ts';
import { fetchJson } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { useOperator } from '../session.tsx';
import { EditForm } from './edit-form.tsx';
import { JobLink } from './facts.tsx';

export function Actions({ job, running }: { job: JobPageView; running: boolean }) {
  const [, navigate] = useLocation();
  const operator = useOperator();
  const [busy, setBusy] = useState(false);
  const [editing, setEditing] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const act = async (verb: 'cancel' | 'retry'): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const { id } = await fetchJson<{ id: string }>(`/api/jobs/${encodeURIComponent(job.id)}/${verb}`, {
        method: 'POST',
      });
      if (verb === 'retry') navigate(`/jobs/${id}`);
    } catch (reason) {
      setError(reason as Error);
    } finally {
      setBusy(false);
    }
  };
  const title = operator ? undefined : 'Your key is a viewer’s: it may look, not change.';
  const disabled = busy || !operator;
  const warned = job.retried_as === null ? undefined : 'retried';
  return (
    <div className="actions">
      <p>
        {running ? (
          <button type="button" className="danger" disabled={disabled} title={title} onClick={() => void act('cancel')}>
            Cancel
          </button>
        ) : (
          <>
            <button
              type="button"
              disabled={disabled}
              title={title}
              aria-describedby={warned}
              onClick={() => void act('retry')}
            >
              Retry
            </button>{' '}
            <button
              type="button"
              disabled={disabled}
              title={title}
              aria-describedby={warned}
              aria-expanded={editing}
              onClick={() => setEditing(!editing)}
            >
              Edit and retry
            </button>
          </>
        )}
      </p>
      {!running && job.retried_as !== null && (
        <p className="notice warn" id="retried">
          It was retried already, as <JobLink id={job.retried_as} />: each retry is a call of its own, and is paid
          again.
        </p>
      )}
      {error !== null && <Problem error={error} />}
      {editing && !running && <EditForm id={job.id} onMade={(id) => navigate(`/jobs/${id}`)} />}
    </div>
  );
}
