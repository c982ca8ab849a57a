/** For the blog posts: what an outline is, and how many calls may be in flight. */
import { defineConfig } from '@millrace/core';
import { z } from 'zod';

export default defineConfig({
  limits: { default: { inFlight: 8 } },
  schemas: {
    outline: z.object({
      title: z.string().min(1).describe('The topic, put as the title of a post.'),
      reader: z.string().describe('Who should read it, in a few words.'),
      sections: z
        .array(z.string().min(1).describe('The topic of one section.'))
        .min(3)
        .max(5)
        .describe('What the sections are about, in their order.'),
    }),
  },
});
