import { expect, it } from 'vitest';
import { readJobsAsked } from './jobs-asked.ts';

const QUEUES = ['generate', 'extract'];

it('queue and status are what Redis can list; anything else takes the index', () => {
  expect(readJobsAsked({}, QUEUES)).toEqual({ query: {}, needsIndex: false, limit: 50, after: null });
  const listed = readJobsAsked({ queue: 'extract', status: 'failed', limit: '10', after: 'x', text: '' }, QUEUES);
  expect(listed).toEqual({
    query: { queues: ['extract'], statuses: ['failed'] },
    needsIndex: false,
    limit: 10,
    after: 'x',
  });
  for (const name of ['text', 'model', 'batch', 'flow', 'key', 'code', 'cause', 'meta.a', 'from']) {
    expect(readJobsAsked({ [name]: '5' }, QUEUES).needsIndex, name).toBe(true);
  }
});

it('a time without a zone is UTC', () => {
  const { query } = readJobsAsked({ from: '2026-11-22T11:00', until: '2026-11-22T11:00:01Z' }, QUEUES);
  expect(query).toEqual({ from: Date.UTC(2026, 10, 22, 11), until: Date.UTC(2026, 10, 22, 11, 0, 1) });
  const zoned = readJobsAsked({ from: '2026-11-22', until: '2026-11-22T11:00:00.5+02:00' }, QUEUES);
  expect(zoned.query).toEqual({ from: Date.UTC(2026, 10, 22), until: Date.UTC(2026, 10, 22, 9, 0, 0, 500) });
  expect(readJobsAsked({ from: '1795730329600' }, QUEUES).query).toEqual({ from: 1_795_730_329_600 });
});

it.each([
  [{ status: 'odd' }, 'status'],
  [{ queue: 'nowhere' }, 'queue'],
  [{ from: 'yesterday' }, 'from'],
  [{ from: '-5' }, 'from'],
  [{ until: '2026-02-31T00:00Z' }, 'until'],
  [{ until: '2026-11-22T25:00Z' }, 'until'],
  [{ from: '9'.repeat(16) }, 'from'],
  [{ limit: '1000' }, 'limit'],
  [{ limit: '1e1' }, 'limit'],
  [{ colour: 'red' }, 'colour'],
  [{ text: ['a', 'b'] }, 'text'],
  [{ text: 'a'.repeat(1001) }, 'text'],
  [{ text: 'a*' }, 'text'],
])('a wrong filter is refused by its name: %j', (asked, param) => {
  expect(() => readJobsAsked(asked, QUEUES)).toThrow(expect.objectContaining({ status: 400, param }));
});

it('metadata of any name is taken as what it is', () => {
  const { query } = readJobsAsked({ 'meta.__proto__': 'x', 'meta.a.b': 'y' }, QUEUES);
  expect(Object.entries(query.metadata ?? {})).toEqual([
    ['__proto__', 'x'],
    ['a.b', 'y'],
  ]);
});
