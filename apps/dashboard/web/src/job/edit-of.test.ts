import { expect, it } from 'vitest';
import type { EditableView } from '../../../src/views/job.ts';
import { editOf, fieldOf, typedOf } from './edit-of.ts';

const JOB: EditableView = {
  ...{ type: 'generate', model: 'gpt-5', instructions: 'Be brief.', input: '[]', input_is_json: true },
  ...{ max_output_tokens: 50, schema: null },
};
const edit = (typed: Partial<ReturnType<typeof typedOf>>) => editOf(JOB, { ...typedOf(JOB), ...typed });

it('only what was changed is sent', () => {
  expect(edit({})).toEqual({});
  expect(edit({ model: 'o3', max_output_tokens: '' })).toEqual({ model: 'o3', max_output_tokens: null });
  expect(edit({ input: '[{"role":"user","content":"x"}]', instructions: '' })).toEqual({
    ...{ input: [{ role: 'user', content: 'x' }], instructions: '' },
  });
});

it('what is no JSON, or no number, is said at its field', () => {
  expect(() => edit({ input: '[' })).toThrow(expect.objectContaining({ field: 'input' }));
  for (const most of ['x', '1e400']) {
    expect(() => edit({ max_output_tokens: most })).toThrow(expect.objectContaining({ field: 'max_output_tokens' }));
  }
});

it.each([
  ['request.input[0].role', 'input'],
  ['document', 'input'],
  ['schema.schema', 'schema'],
  ['request.text.format.schema', 'schema'],
  ['request.model', 'model'],
  ['max_output_tokens', 'max_output_tokens'],
  ['replace.find', null],
  [null, null],
])('an error of %s belongs to the field %s', (param, field) => {
  expect(fieldOf(param)).toBe(field);
});
