/** Topics to outlines to posts: one flow of two steps, the second made for each outline of the first. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOfJobs } from '../bill.ts';
import type { Example, Outcome } from '../example.ts';
import { type FlowStep, runFlow } from '../millrace.ts';
import { readLines } from '../read-lines.ts';

/** A flow tells of so many jobs of a step what they said. */
const MOST_TOPICS = 100;

const steps = {
  outlines: {
    type: 'extract',
    schema: 'outline',
    instructions:
      'The document is only the topic of a blog post. Plan that post: the title and the sections are for you to find.',
    document: 'Topic: {{item}}',
    for_each: '{{input.topics}}',
  },
  posts: {
    type: 'generate',
    request: {
      instructions: 'Write the body of a blog post in Markdown, with a heading for each section and without the title.',
      input: '{{item.title}}\n\nReader: {{item.reader}}\nSections:\n{{item.sections}}',
    },
    for_each: '{{steps.outlines.output_parsed}}',
  },
};

export async function run({ millrace, upstream, out, input, say, shown }: Example): Promise<Outcome> {
  const file = input ?? join(import.meta.dirname, 'topics.txt');
  const topics = [...new Map(readLines(file).map((topic) => [slugOf(topic), topic])).values()];
  if (topics.length > MOST_TOPICS)
    throw new Error(`${file} has ${topics.length} topics, and at most ${MOST_TOPICS} can be`);
  say(`${topics.length} topics of ${shown(file)}: an outline each, then a post from each outline`);

  const flow = await runFlow(millrace, { name: 'blog-posts', input: { topics }, steps }, upstream);
  const outlines = flow.steps['outlines'] as FlowStep;
  const posts = flow.steps['posts'] as FlowStep;
  const written: string[] = [];
  // All outlines are there where posts are, so both lists are in the order of the topics.
  for (const [index, { id, output_text }] of posts.jobs.entries()) {
    const topic = topics[index] as string;
    const outline = outlines.jobs[index]?.output_parsed as { title: string } | undefined;
    if (output_text === null || outline === undefined) continue;
    const { title } = outline;
    const post = join(out, `${slugOf(topic)}.md`);
    writeFileSync(post, `${frontMatter({ title, topic, job: id })}\n# ${title}\n\n${output_text}\n`);
    written.push(shown(post));
  }
  return {
    results: [`${written.length} posts:`, ...written.map((post) => `  ${post}`)],
    bill: await billOfJobs(
      millrace,
      [...outlines.jobs, ...posts.jobs].map(({ id }) => id),
    ),
    failures: Object.entries(flow.steps).flatMap(([name, { error }]) => (error ? [`${name}: ${error.message}`] : [])),
  };
}

/** JSON strings are YAML. */
function frontMatter(fields: Record<string, string>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `---\n${lines.join('\n')}\n---\n`;
}

function slugOf(topic: string): string {
  const slug = topic
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
  return slug.slice(0, 80) || 'untitled';
}
