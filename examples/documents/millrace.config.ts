/** For the documents: what is read out of each. Answers are checked by it before a job is called completed. */
import { defineConfig } from '@millrace/core';
import { z } from 'zod';

export default defineConfig({
  schemas: {
    letter: z.object({
      kind: z.enum(['invoice', 'reminder', 'complaint', 'order', 'other']).describe('What the document is.'),
      sender: z.string().nullable().describe('Who wrote it: a company or a person.'),
      recipient: z.string().nullable().describe('To whom it is written.'),
      date: z.iso.date().nullable().describe('The date it was written.'),
      reference: z.string().nullable().describe('The number of the invoice, order or case.'),
      total: z.number().nullable().describe('The sum it is about, with tax.'),
      currency: z.enum(['EUR', 'USD', 'GBP', 'CHF']).nullable().describe('The currency of the total.'),
    }),
  },
});
