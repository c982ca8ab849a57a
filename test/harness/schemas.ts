/** Zod schemas that tests configure: what a JSON Schema cannot say is checked by them. */
import { z } from 'zod';

const receipt = z
  .object({
    customer: z.string(),
    total: z.number().refine((total) => total > 0, 'must be above 0'),
    parts: z.array(z.number()),
  })
  .refine(({ total, parts }) => parts.length === 0 || parts.reduce((a, b) => a + b, 0) === total, {
    error: 'the parts must add up to the total',
    path: ['parts'],
  });

const part = z.object({
  name: z.string(),
  get parts() {
    return z.array(part);
  },
});

export default { receipt, part };
