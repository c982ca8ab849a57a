/** What several routes take, or answer with. */
import type { Parameter } from './operation.ts';

export const text = (description: string): Parameter => ({ schema: { type: 'string' }, description });
export const number = (description: string, minimum: number, maximum: number): Parameter => ({
  schema: { type: 'integer', minimum, maximum },
  description,
});
export const flag = (description: string): Parameter => ({ schema: { type: 'boolean' }, description });

export const AFTER = text('Begin after this one: the last id of the page before.');
export const NOT_FOUND = { 404: 'There is none (any more).' };
export const IDEMPOTENCY = { 'Idempotency-Key': text('The same key and body is the same job, for 48 hours.') };
