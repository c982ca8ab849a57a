import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttemptEnd, attemptEndJson, jobFromRecord, LOST_ATTEMPT, readJson } from './job-record.ts';

const ID = `resp_${'a'.repeat(48)}`;
const WHOLE: Record<string, string> = {
  status: 'failed',
  type: 'extract',
  model: 'm',
  priority: '3',
  stamp: '1800000000123456',
  started_at: '1800000001000',
  finished_at: '1800000002000',
  deadline: '1800000009000',
  metadata: '{"a":"b"}',
  retry_of: 'resp_old',
  error: '{"code":"bad","message":"no"}',
  usage: '{"input_tokens":1}',
  body: '{"document":"d","schema":"s"}',
  epoch: '2',
  'attempt:1': '1800000000500 host:1',
  'outcome:1': '1800000000900 {"outcome":"retry","reason":"upstream_error","counted":true}',
  'attempt:2': '1800000001000 host:2',
  'outcome:2': '1800000002000 {"outcome":"failed","reason":"bad_request","counted":true}',
};

it('a record is read whole, attempts in order, times in milliseconds', () => {
  expect(jobFromRecord(ID, 'extract', WHOLE)).toMatchObject({
    ...{ id: ID, queue: 'extract', type: 'extract', status: 'failed', model: 'm', priority: 3 },
    ...{ created_at: 1800000000123, started_at: 1800000001000, finished_at: 1800000002000, deadline: 1800000009000 },
    ...{ metadata: { a: 'b' }, retry_of: 'resp_old', webhook_url: null, delayed_until: null },
    ...{ error: { code: 'bad' }, usage: { input_tokens: 1 }, body: { document: 'd', schema: 's' } },
    attempts: [
      { number: 1, worker: 'host:1', started_at: 1800000000500, finished_at: 1800000000900, outcome: 'retry' },
      { number: 2, worker: 'host:2', outcome: 'failed', reason: 'bad_request', counted: true, possibly_billed: false },
    ],
  });
});

it('an attempt that runs has neither an end nor an outcome', () => {
  const { 'outcome:2': _, ...open } = WHOLE;
  expect(jobFromRecord(ID, 'q', open)?.attempts[1]).toMatchObject({ finished_at: null, outcome: null, counted: false });
});

it('more than nine attempts keep their order', () => {
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`attempt:${n + 1}`, `${n} w`]));
  const attempts = jobFromRecord(ID, 'q', { ...WHOLE, ...many })?.attempts ?? [];
  expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

it('no record is no job', () => {
  expect(jobFromRecord(ID, 'q', {})).toBeNull();
});

describe('a damaged field', () => {
  it('counts as absent, and hides nothing else', () => {
    for (const field of Object.keys(WHOLE).filter((name) => name !== 'status')) {
      for (const damage of ['', 'garbage', '{"cut', 'NaN', ' ']) {
        const job = jobFromRecord(ID, 'q', { ...WHOLE, [field]: damage });
        expect(job?.status, `${field}=${damage}`).toBe('failed');
        for (const time of [job?.created_at, job?.started_at, job?.finished_at, job?.deadline, job?.priority]) {
          expect(time === null || Number.isFinite(time), `${field}=${damage}`).toBe(true);
        }
        expect(job?.attempts.length).toBe(2);
      }
    }
  });

  it('of any bytes neither throws nor makes a long list', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(WHOLE), 'attempt:x'), fc.string()), (fields) => {
        const job = jobFromRecord(ID, 'q', { ...WHOLE, ...fields, epoch: '999999999' });
        expect(job?.attempts.length).toBeLessThanOrEqual(3);
      }),
    );
  });
});

it('an attempt’s end keeps what there is and reads back as it was', () => {
  const end: AttemptEnd = {
    outcome: 'retry',
    reason: 'timeout',
    error: { code: 'c', message: 'm' },
    upstream_id: 'resp_u',
    api: null,
    usage: null,
    possibly_billed: true,
    counted: false,
  };
  expect(attemptEndJson(end)).not.toContain('usage');
  const job = jobFromRecord(ID, 'q', { ...WHOLE, 'outcome:1': `5 ${attemptEndJson(end)}` });
  expect(job?.attempts[0]).toMatchObject({ ...end, finished_at: 5 });
  expect(readJson(LOST_ATTEMPT)).toMatchObject({ outcome: 'interrupted', reason: 'lost', possibly_billed: true });
});
