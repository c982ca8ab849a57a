/** What is to be otherwise in all jobs: each field that is filled in replaces the job's own. */
import { useId } from 'react';

export interface EditTexts {
  model: string;
  instructions: string;
  find: string;
  with: string;
  schema: string;
  /** A number. */
  most: string;
}

export const NO_EDIT: EditTexts = { model: '', instructions: '', find: '', with: '', schema: '', most: '' };

const FIELDS = [
  { name: 'model', label: 'Model', long: false, hint: '' },
  { name: 'instructions', label: 'Instructions', long: true, hint: '' },
  { name: 'find', label: 'Replace in the prompt', long: false, hint: 'Wherever it stands in prompt and instructions' },
  { name: 'with', label: 'Replace by', long: false, hint: 'Nothing: it is taken out' },
  { name: 'most', label: 'Most output tokens', long: false, hint: 'How long an answer may become' },
  { name: 'schema', label: 'Schema', long: true, hint: 'A name, or {"name": "…", "schema": {…}}' },
] as const;

export function EditFields({ texts, onChange }: { texts: EditTexts; onChange: (texts: EditTexts) => void }) {
  const id = useId();
  return (
    <div className="edit-fields">
      {FIELDS.map(({ name, label, long, hint }) => {
        const Field = long ? 'textarea' : 'input';
        return (
          <p key={name}>
            <label htmlFor={`${id}-${name}`}>{label}</label>
            <Field
              id={`${id}-${name}`}
              aria-describedby={hint === '' ? undefined : `${id}-${name}-hint`}
              value={texts[name]}
              onChange={(event) => onChange({ ...texts, [name]: event.target.value })}
            />
            {hint !== '' && (
              <small className="under" id={`${id}-${name}-hint`}>
                {hint}
              </small>
            )}
          </p>
        );
      })}
    </div>
  );
}

/** null: nothing is filled in. @throws Error for a schema that is no JSON, or tokens that are no number */
export function editOf({ model, instructions, find, with: by, schema, most }: EditTexts): object | null {
  const edit = {
    ...(model.trim() === '' ? {} : { model: model.trim() }),
    ...(instructions === '' ? {} : { instructions }),
    ...(find === '' ? {} : { replace: { find, with: by } }),
    ...(most.trim() === '' ? {} : { max_output_tokens: tokensOf(most.trim()) }),
    ...(schema.trim() === '' ? {} : { schema: schemaOf(schema.trim()) }),
  };
  return Object.keys(edit).length === 0 ? null : edit;
}

function tokensOf(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`'Most output tokens' must be a whole number from 1: '${text}' is none.`);
}

function schemaOf(text: string): unknown {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`'schema' is no JSON: ${(error as Error).message}`);
  }
}
