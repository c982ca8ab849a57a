/** A form over a job's request: what is changed in it becomes a new job that links back. */
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import type { EditableView } from '../../../src/views/job.ts';
import { ApiError, fetchJson, useFetched } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { editOf, FieldError, type FieldName, fieldOf, type Typed, typedOf } from './edit-of.ts';

export function EditForm({ id, onMade }: { id: string; onMade: (id: string) => void }) {
  const { data, error, again } = useFetched<EditableView>(`/api/jobs/${encodeURIComponent(id)}/editable`);
  if (error !== null) return <Problem error={error} again={again} />;
  return data === null ? <p className="empty">Loading…</p> : <Form id={id} job={data} onMade={onMade} />;
}

function Form({ id, job, onMade }: { id: string; job: EditableView; onMade: (id: string) => void }) {
  const [typed, setTyped] = useState<Typed>(() => typedOf(job));
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const field = error instanceof FieldError ? error.field : error instanceof ApiError ? fieldOf(error.param) : null;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    // Not disabled meanwhile: that would take the focus away.
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const body = editOf(job, typed);
      const made = await fetchJson<{ id: string }>(`/api/jobs/${encodeURIComponent(id)}/edit`, { body });
      onMade(made.id);
    } catch (reason) {
      setError(reason as Error);
    } finally {
      setBusy(false);
    }
  };
  const input = (name: FieldName) => ({
    value: typed[name],
    onChange: (event: { target: { value: string } }) => setTyped({ ...typed, [name]: event.target.value }),
  });
  const faultOf = (name: FieldName): string | null => (field === name ? (error?.message ?? null) : null);
  return (
    <form className="edit" onSubmit={(event) => void submit(event)} aria-label="Edit and retry">
      <Field label="Model" fault={faultOf('model')}>
        {(named) => <input {...named} {...input('model')} />}
      </Field>
      <Field label="Instructions" fault={faultOf('instructions')}>
        {(named) => <textarea rows={3} dir="auto" {...named} {...input('instructions')} />}
      </Field>
      {job.input === null ? (
        <p className="empty">The input is too large to be edited here; it is kept as it is.</p>
      ) : (
        <Field label={inputName(job)} fault={faultOf('input')}>
          {(named) => <textarea rows={8} dir="auto" spellCheck={!job.input_is_json} {...named} {...input('input')} />}
        </Field>
      )}
      <Field label="Most output tokens" fault={faultOf('max_output_tokens')}>
        {(named) => <input inputMode="numeric" {...named} {...input('max_output_tokens')} />}
      </Field>
      {job.schema !== null && (
        <Field label="Schema (a configured name, or JSON)" fault={faultOf('schema')}>
          {(named) => <textarea rows={6} spellCheck={false} {...named} {...input('schema')} />}
        </Field>
      )}
      {error !== null && field === null && <Problem error={error} />}
      <p>
        <button type="submit" className="primary" aria-disabled={busy}>
          Submit as a new job
        </button>
      </p>
    </form>
  );
}

function inputName({ type, input_is_json: isJson }: EditableView): string {
  if (type === 'extract') return 'Document';
  return isJson ? 'Input (JSON)' : 'Input';
}

interface Named {
  id: string;
  'aria-invalid'?: true;
  'aria-describedby'?: string;
}

function Field({
  label,
  fault,
  children,
}: {
  label: string;
  fault: string | null;
  children: (named: Named) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(fault === null ? { id } : { id, 'aria-invalid': true, 'aria-describedby': `${id}-fault` })}
      {fault !== null && (
        <p className="fault" id={`${id}-fault`} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
