/**
 * Questions to findings to a report that cites them: a flow in which each question is a step of its own, and a last step
 * gathers what they found.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOfJobs } from '../bill.ts';
import type { Example, Outcome } from '../example.ts';
import { type FlowStep, type Millrace, runFlow } from '../millrace.ts';
import { readLines } from '../read-lines.ts';

/** The schema of the report numbers its findings from 1 to 9. */
const MOST_QUESTIONS = 9;
const SEARCHING = ['simulator', 'https://api.openai.com/v1'];

interface Question {
  /** Its step in the flow. */
  step: string;
  text: string;
  web: boolean;
}

interface Report {
  title: string;
  summary: string;
  claims: { claim: string; findings: string[] }[];
}

export async function run({ millrace, upstream, out, input, say, shown }: Example): Promise<Outcome> {
  const file = input ?? join(import.meta.dirname, 'questions.txt');
  const [topic = '', ...lines] = readLines(file);
  const questions = lines.map((line, index) => ({
    step: `question-${index + 1}`,
    text: line.replace(/^web:\s*/, ''),
    web: line.startsWith('web:'),
  }));
  if (questions.length === 0 || questions.length > MOST_QUESTIONS) {
    throw new Error(`${file} must have a topic and 1 to ${MOST_QUESTIONS} questions, a line each`);
  }
  const searches = SEARCHING.includes(upstream);
  const web = questions.some((question) => question.web) && !searches ? '; nothing searches the web here' : '';
  say(`${questions.length} questions of ${shown(file)}, then a report on what was found${web}`);

  const steps = stepsOf(topic, questions, searches);
  const flow = await runFlow(millrace, { name: 'research', input: { topic }, steps }, upstream);
  const jobs = Object.values(flow.steps).flatMap((step) => step.jobs);
  const failures = Object.entries(flow.steps).flatMap(([name, { error }]) =>
    error ? [`${name}: ${error.message}`] : [],
  );
  const bill = await billOfJobs(
    millrace,
    jobs.map(({ id }) => id),
  );
  const report = flow.steps['report']?.jobs[0]?.output_parsed as Report | null | undefined;
  if (report == null) return { results: [], bill, failures: [...failures, 'there is no report'] };
  const target = join(out, 'report.md');
  writeFileSync(target, await markdown(millrace, report, questions, flow.steps));
  return { results: [`report: ${shown(target)}`], bill, failures };
}

function stepsOf(topic: string, questions: readonly Question[], searches: boolean): Record<string, object> {
  const research = questions.map(({ step, text, web }) => {
    const request = {
      instructions: `You research '${topic}'. Answer in a few dense paragraphs; say what is not known.`,
      input: text,
      ...(web && searches ? { tools: [{ type: 'web_search' }] } : {}),
    };
    // A question that was not answered is missing in the report, which is written all the same.
    return [step, { type: 'generate', request, on_failure: 'continue' }] as const;
  });
  const findings = questions.map(({ step, text }, index) => `[${index + 1}] ${text}\n\n{{steps.${step}.output_text}}`);
  const report = {
    type: 'extract',
    schema: 'report',
    instructions:
      'The document is what a research found. Write a report: claim nothing that no finding says, and cite.',
    document: `Topic: {{input.topic}}\n\n${findings.join('\n\n')}`,
  };
  return { ...Object.fromEntries(research), report };
}

async function markdown(
  millrace: Millrace,
  { title, summary, claims }: Report,
  questions: readonly Question[],
  steps: Record<string, FlowStep>,
): Promise<string> {
  const cited = (numbers: readonly string[]): string =>
    numbers
      .filter((number) => Number(number) <= questions.length)
      .map((number) => `[[${number}]](#finding-${number})`)
      .join(' ');
  const parts = [`# ${title}`, summary, ...claims.map(({ claim, findings }) => `${claim} ${cited(findings)}`)];
  for (const [index, { step, text }] of questions.entries()) {
    const job = steps[step]?.jobs[0];
    parts.push(`## Finding ${index + 1}`, `*${text}*`, job?.output_text ?? 'This question was not answered.');
    if (job === undefined || job.output_text === null) continue;
    parts.push(...(await pagesOf(millrace, job.id)).map((page) => `- ${page}`), `<sub>${job.id}</sub>`);
  }
  return `${parts.join('\n\n')}\n`;
}

/** The pages that a response cites, each once, as Markdown links. A flow tells texts only: they are in the response. */
async function pagesOf({ call }: Millrace, id: string): Promise<string[]> {
  const { output } = await call<{
    output: { content?: { annotations?: { type: string; url?: string; title?: string }[] }[] }[];
  }>('GET', `/v1/responses/${id}`);
  const annotations = output.flatMap(({ content = [] }) => content.flatMap((part) => part.annotations ?? []));
  const pages = annotations.flatMap(({ url, title }) => (url === undefined ? [] : [`[${title ?? url}](${url})`]));
  return [...new Set(pages)];
}
