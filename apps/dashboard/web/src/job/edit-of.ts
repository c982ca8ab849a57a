/** What a form says of a job, as the edit to be sent: only what is otherwise than before. */
import type { JobEdit } from '@millrace/core';
import type { EditableView } from '../../../src/views/job.ts';

/** The fields of the form, as they are typed. */
export interface Typed {
  model: string;
  instructions: string;
  input: string;
  max_output_tokens: string;
  schema: string;
}
export type FieldName = keyof Typed;

export class FieldError extends Error {
  readonly field: FieldName;
  constructor(field: FieldName, message: string) {
    super(message);
    this.field = field;
  }
}

export function typedOf(job: EditableView): Typed {
  return {
    model: job.model ?? '',
    instructions: job.instructions,
    input: job.input ?? '',
    max_output_tokens: job.max_output_tokens === null ? '' : String(job.max_output_tokens),
    schema: job.schema ?? '',
  };
}

/** @throws FieldError for what is no JSON or no number where it must be; all else is for the server to say */
export function editOf(job: EditableView, typed: Typed): JobEdit {
  const before = typedOf(job);
  const edit: JobEdit = {};
  const differs = (field: FieldName): boolean => typed[field] !== before[field];
  if (differs('model')) edit.model = typed.model.trim();
  if (differs('instructions')) edit.instructions = typed.instructions;
  if (differs('input')) edit.input = job.input_is_json ? parsed('input', typed.input) : typed.input;
  if (differs('max_output_tokens')) {
    const most = typed.max_output_tokens.trim();
    // As JSON it would be null, which is no limit at all.
    if (!Number.isFinite(Number(most))) throw new FieldError('max_output_tokens', `'${most}' is no number.`);
    edit.max_output_tokens = most === '' ? null : Number(most);
  }
  if (differs('schema')) {
    edit.schema = /^\s*\{/.test(typed.schema) ? parsed('schema', typed.schema) : typed.schema.trim();
  }
  return edit;
}

function parsed<T>(field: FieldName, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new FieldError(field, `This is no JSON: ${(error as Error).message}`);
  }
}

/** The field of the form that an error of the server is about; null: none of them. */
export function fieldOf(param: string | null): FieldName | null {
  const path = (param ?? '').replace(/^request\./, '');
  if (/^(input|document)\b/.test(path)) return 'input';
  if (/^(schema|text)\b/.test(path)) return 'schema';
  const fields: readonly FieldName[] = ['model', 'instructions', 'max_output_tokens'];
  return fields.find((field) => path === field) ?? null;
}
