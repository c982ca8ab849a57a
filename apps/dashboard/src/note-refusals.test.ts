import type { Act, Store } from '@millrace/queue';
import { expect, it } from 'vitest';
import { openRefusals } from './note-refusals.ts';

it('who tries out keys fills the log, not the audit list: ten an hour are noted, the rest by their number', () => {
  let now = 0;
  const [notes, logged]: [Act[], unknown[]] = [[], []];
  const store = { log: { warn: (fields: unknown) => logged.push(fields) } } as unknown as Store;
  const refused = openRefusals(
    store,
    async (_, act) => {
      notes.push(act);
    },
    () => now,
  );
  for (let i = 0; i < 500; i++) refused('10.0.0.1');
  expect(notes).toHaveLength(10);
  expect(logged).toHaveLength(500);
  now = 3_600_000;
  refused('10.0.0.2');
  expect(notes[10]).toEqual({
    ...{ who: '', role: null, what: 'session.refused', target: '' },
    detail: 'from 10.0.0.2; and 490 more before it',
  });
});
