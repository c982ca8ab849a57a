/** What can be done about all jobs of a cause: retried as they are or edited, five of them first, or discarded. */
import { type FormEvent, type MouseEvent, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { PreviewView } from '../../../src/views/actions.ts';
import type { CohortView } from '../../../src/views/failures.ts';
import { fetchJson } from '../api.ts';
import { formatCount, formatUsd } from '../format.ts';
import { useOperator } from '../session.tsx';
import { EditFields, editOf, NO_EDIT } from './edit-fields.tsx';
import { Problem } from './problem.tsx';
import { Question } from './question.tsx';
import { useSpan } from './span-choice.tsx';

const FIVE = 5;

export function OrderForm({ cohort: { cause, count, retried } }: { cohort: CohortView }) {
  /** What was retried already is not retried with the rest: it would be paid twice. */
  const left = count - retried;
  const [span] = useSpan();
  const operator = useOperator();
  const [, go] = useLocation();
  const [texts, setTexts] = useState(NO_EDIT);
  const [preview, setPreview] = useState<PreviewView | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [asking, setAsking] = useState<'discard' | 'retry' | null>(null);
  const [busy, setBusy] = useState(false);
  /** The button that asked. */
  const asker = useRef<HTMLButtonElement | null>(null);
  const common = { cause: cause.id, hours: Number(span.hours), ...(span.queue === '' ? {} : { queue: span.queue }) };
  const withEdit = (): object => {
    const edit = editOf(texts);
    return { ...common, kind: 'retry', ...(edit === null ? {} : { edit }) };
  };

  const run = async (work: () => Promise<void>): Promise<void> => {
    // Not disabled meanwhile: that would take the focus away.
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (reason) {
      setError(reason as Error);
    } finally {
      setBusy(false);
    }
  };
  const start = (order: () => object): Promise<void> =>
    run(async () => {
      const { id } = await fetchJson<{ id: string }>('/api/actions', { body: order() });
      go(`/actions/${id}`);
    });
  const look = (event: FormEvent): void => {
    event.preventDefault();
    void run(async () => setPreview(await fetchJson<PreviewView>('/api/actions/preview', { body: withEdit() })));
  };
  const ask = (what: 'discard' | 'retry', { currentTarget }: MouseEvent<HTMLButtonElement>): void => {
    asker.current = currentTarget;
    setError(null);
    setAsking(what);
  };
  const answer = (yes: boolean): void => {
    setAsking(null);
    asker.current?.focus();
    if (yes) void start(asking === 'discard' ? () => ({ ...common, kind: 'discard' }) : withEdit);
  };
  const disabled = !operator;
  const title = operator ? undefined : 'A viewer may look, not change.';
  const button = { type: 'button', disabled, title, 'aria-disabled': busy } as const;
  return (
    <section className="order">
      <h2>What to do about them</h2>
      <form onSubmit={look}>
        <details>
          <summary>Edit for all</summary>
          <EditFields
            texts={texts}
            onChange={(next) => {
              setTexts(next);
              setPreview(null);
            }}
          />
        </details>
        <p className="buttons">
          <button
            {...button}
            className="primary"
            disabled={disabled || left === 0}
            onClick={() => void start(() => ({ ...withEdit(), limit: FIVE }))}
          >
            Retry {left > 0 && left < FIVE ? formatCount(left) : 'five'} and look
          </button>
          <button {...button} disabled={disabled || left === 0} onClick={(event) => ask('retry', event)}>
            Retry all {formatCount(left)}
          </button>
          <button {...button} type="submit" disabled={disabled || left === 0}>
            Preview the cost
          </button>
          <button {...button} className="danger" onClick={(event) => ask('discard', event)}>
            Discard all {formatCount(count)}…
          </button>
        </p>
      </form>
      {retried > 0 && (
        <p className="muted">
          {retried === count ? 'All' : formatCount(retried)} of them {retried === 1 ? 'was' : 'were'} retried already
          and will not be retried again; each one's page still can.
        </p>
      )}
      {!operator && <p className="muted">A viewer may look, not change.</p>}
      {asking !== null && (
        <div className="notice warn">
          <Question
            key={asking}
            yes={`${asking === 'discard' ? 'Discard' : 'Retry'} ${formatCount(asking === 'discard' ? count : left)} jobs`}
            no="Cancel"
            tone={asking === 'discard' ? 'danger' : 'primary'}
            busy={busy}
            onYes={() => answer(true)}
            onNo={() => answer(false)}
          >
            {asking === 'discard'
              ? `${formatCount(count)} failed jobs will be forgotten, with their requests. This cannot be undone.`
              : `${formatCount(left)} new jobs will be made of the failed ones.`}
          </Question>
        </div>
      )}
      {error !== null && <Problem error={error} />}
      {preview !== null && <Preview preview={preview} />}
    </section>
  );
}

function Preview({ preview: { jobs, sample, refused, usd, how } }: { preview: PreviewView }) {
  return (
    <div className="notice" role="status">
      <p>
        <strong>{formatCount(jobs)} jobs</strong>, expected cost <strong>{formatUsd(usd)}</strong>. <small>{how}</small>
      </p>
      {refused !== null && (
        <p>
          Of {formatCount(sample)} looked at, the edit does not fit {formatCount(refused.count)}: {refused.message}
        </p>
      )}
    </div>
  );
}
