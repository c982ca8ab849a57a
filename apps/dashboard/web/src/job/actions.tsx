/** What can be done with a job: cancel it while it runs; once it has ended, do it again as it was or edited. */
import { type ReactNode, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { JobPageView } from '../../../src/views/job.ts';
import { fetchJson } from '../api.ts';
import { useKeptFocus } from '../parts/keep-focus.ts';
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
    // Not disabled meanwhile: that would take the focus away.
    if (busy) return;
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
  const button = { type: 'button', disabled: !operator, 'aria-disabled': busy, title } as const;
  const again = { ...button, 'aria-describedby': job.retried_as === null ? undefined : 'retried' };
  return (
    <div className="actions">
      <p>
        {running ? (
          <Leaving>
            <button {...button} className="danger" onClick={() => void act('cancel')}>
              Cancel
            </button>
          </Leaving>
        ) : (
          <>
            <button {...again} onClick={() => void act('retry')}>
              Retry
            </button>{' '}
            <button {...again} aria-expanded={editing} onClick={() => setEditing(!editing)}>
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

/** Is gone once what it offers was done. */
function Leaving({ children }: { children: ReactNode }) {
  const place = useRef<HTMLSpanElement>(null);
  useKeptFocus(place);
  return <span ref={place}>{children}</span>;
}
