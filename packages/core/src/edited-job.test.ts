import { describe, expect, test } from 'vitest';
import { resolveConfig } from './config.ts';
import { editedJob } from './edited-job.ts';
import { readEnvironment } from './environment.ts';
import type { Job } from './job.ts';
import { type JobEdit, parseJobEdit } from './job-edit.ts';

const schema = {
  type: 'object',
  properties: { total: { type: 'number' } },
  required: ['total'],
  additionalProperties: false,
};
const config = resolveConfig({ schemas: { invoice: schema } }, readEnvironment({}));

const JOB = {
  ...{ id: 'resp_1', queue: 'generate', type: 'generate', status: 'failed', model: 'gpt-5-mini', priority: 3 },
  ...{ deadline: 1, metadata: { team: 'a' }, webhook_url: null, batch: { id: 'batch_1', custom_id: 'c', chat: false } },
  body: { model: 'gpt-5-mini', instructions: 'Be brief.', input: 'Tell of mills.', stream: true, background: true },
} as unknown as Job;
const EXTRACT = {
  ...JOB,
  ...{
    queue: 'extract',
    type: 'extract',
    body: { document: 'Total: 5 EUR', schema: 'invoice', instructions: 'In EUR.' },
  },
} as Job;

const edited = (edit: JobEdit, job = JOB) => editedJob(config, job, edit, 'ops');

describe('an edited job', () => {
  test('is a new job that links back, with what was edited and all else as it was', () => {
    expect(edited({ model: 'gpt-5', instructions: 'Be long.', max_output_tokens: 50 })).toMatchObject({
      ...{ queue: 'generate', type: 'generate', model: 'gpt-5', priority: 3, retryOf: 'resp_1', key: 'ops' },
      ...{ metadata: { team: 'a' }, deadline: null, batch: null, stream: false, delayMs: 0, idempotency: null },
      body: { model: 'gpt-5', instructions: 'Be long.', input: 'Tell of mills.', max_output_tokens: 50 },
    });
  });

  test('keeps nothing of how the first caller wanted to be answered', () => {
    expect(Object.keys(edited({ model: 'gpt-5' }).body)).toEqual(['model', 'instructions', 'input']);
  });

  test('has no instructions and no bound where they are taken away', () => {
    const job = { ...JOB, body: { ...JOB.body, max_output_tokens: 9 } } as Job;
    expect(edited({ instructions: '', max_output_tokens: null }, job).body).toEqual({
      model: 'gpt-5-mini',
      input: 'Tell of mills.',
    });
  });

  test('of an extraction has its document, schema and model edited', () => {
    const own = { name: 'own', schema };
    expect(edited({ input: 'Total: 6', schema: own, model: 'gpt-5' }, EXTRACT)).toMatchObject({
      ...{ type: 'extract', model: 'gpt-5' },
      body: { document: 'Total: 6', schema: own, instructions: 'In EUR.' },
    });
  });

  test('has a text replaced in its instructions, texts and document, and nowhere else', () => {
    const body = {
      instructions: 'mill mill',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'a mill' },
            { type: 'input_image', image_url: 'https://mill.example/a.png' },
          ],
        },
        { type: 'function_call_output', call_id: 'mill', output: 'mill' },
      ],
      text: { format: { type: 'json_schema', name: 'mill', schema: { ...schema, description: 'mill' } } },
      metadata: { text: 'mill' },
    };
    const job = { ...JOB, metadata: null, body } as unknown as Job;
    expect(edited({ replace: { find: 'mill', with: '$& weir' } }, job).body).toEqual({
      ...body,
      instructions: '$& weir $& weir',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'a $& weir' },
            { type: 'input_image', image_url: 'https://mill.example/a.png' },
          ],
        },
        { type: 'function_call_output', call_id: 'mill', output: '$& weir' },
      ],
    });
    expect(edited({ replace: { find: 'EUR', with: 'USD' } }, EXTRACT).body).toMatchObject({
      document: 'Total: 5 USD',
      instructions: 'In USD.',
    });
  });

  test.each<[string, JobEdit, Job, string]>([
    ['an input that is none', { input: [{ role: 'nobody', content: 'x' }] }, JOB, 'request.input[0].role'],
    ['a schema that does not exist', { schema: 'nothing' }, EXTRACT, 'schema'],
    [
      'a schema that strict mode refuses',
      { schema: { name: 'a', schema: { type: 'object' } } },
      EXTRACT,
      'schema.schema',
    ],
    ['a schema by its name in a generate job', { schema: 'invoice' }, JOB, 'schema'],
    ['a document that is no text', { input: [] }, EXTRACT, 'input'],
    ['a text to replace that is not there', { replace: { find: 'windmill', with: '' } }, JOB, 'replace.find'],
  ])('is refused by its field: %s', (_, edit, job, param) => {
    expect(() => edited(edit, job)).toThrow(expect.objectContaining({ param }));
  });
});

test.each<[string, unknown, string | null]>([
  ['nothing', {}, null],
  ['no object', 'x', null],
  ['an unknown field', { prompt: 'x' }, 'prompt'],
  ['no text to find', { replace: { find: '', with: 'x' } }, 'replace.find'],
  ['too few tokens', { max_output_tokens: 0 }, 'max_output_tokens'],
  ['an input of a strange kind', { input: 5 }, 'input'],
])('an edit is refused that is %s', (_, body, param) => {
  expect(() => parseJobEdit(body)).toThrow(expect.objectContaining({ name: 'InvalidRequestError', param }));
});
