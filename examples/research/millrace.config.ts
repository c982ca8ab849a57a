/** For the research: what a report is, and how many calls may be in flight. */
import { defineConfig } from '@millrace/core';
import { z } from 'zod';

export default defineConfig({
  limits: { default: { inFlight: 8 } },
  schemas: {
    report: z.object({
      title: z.string().min(1).describe('The topic, put as a title.'),
      summary: z.string().min(1).describe('Summary of the whole, in two or three sentences.'),
      claims: z
        .array(
          z.object({
            claim: z
              .string()
              .min(1)
              .describe('Summary of one thing that the findings show, in one to three sentences.'),
            findings: z
              .array(z.enum(['1', '2', '3', '4', '5', '6', '7', '8', '9']))
              .min(1)
              .describe('The numbers of the findings that say so.'),
          }),
        )
        .min(1)
        .max(12),
    }),
  },
});
