import type { Batch, Store } from '@millrace/queue';
import { expect, it } from 'vitest';
import { testConfig } from '../../../../packages/queue/src/testing/store.ts';
import type { BatchTerms } from './keep-batches.ts';
import { jobOfLine } from './store-lines.ts';

it('the job of a line is whose its batch is, and due when its batch is', () => {
  const terms = { store: { config: testConfig() } as Store } as BatchTerms;
  const batch = { id: 'batch_1', queue: { name: 'generate' }, key: 'ann', expires_at: 5, priority: 7 } as Batch;
  const line = { customId: 'c', request: { model: 'm', input: 'hi' } };
  expect(jobOfLine(terms, batch, line as Parameters<typeof jobOfLine>[2], 3)).toMatchObject({
    ...{ key: 'ann', deadline: 5, priority: 7, model: 'm', batch: { id: 'batch_1', place: 3, customId: 'c' } },
  });
});
