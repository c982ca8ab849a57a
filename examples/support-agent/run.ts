/**
 * A customer's questions, one after the other, answered by an agent that remembers (previous_response_id) and acts
 * (tools that workers run), through OpenAI's SDK.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { billOfJobs, endedBefore } from '../bill.ts';
import type { Example, Outcome } from '../example.ts';
import { keyOf, type Millrace } from '../millrace.ts';

/** The customer's form: its topic says what must be looked at, or done, before an answer. */
type Form = Record<string, string>;
const TOOL_OF: Record<string, string> = { order: 'look_up_order', refund: 'refund_order', help: 'search_help' };
/** By name only: what they do is in millrace.config.ts. */
const TOOLS = Object.values(TOOL_OF).map((name) => ({
  type: 'function' as const,
  name,
  parameters: null,
  strict: true,
}));

const INSTRUCTIONS =
  'You answer the customers of Kettle & Co. Be brief and kind. Say only what a tool or the customer has told you, and ' +
  'name amounts and order numbers exactly.';

interface Turn {
  form: Form;
  response: OpenAI.Responses.Response;
}

export async function run({ millrace, upstream, out, input, say, shown }: Example): Promise<Outcome> {
  const file = input ?? join(import.meta.dirname, 'conversation.json');
  const forms = JSON.parse(readFileSync(file, 'utf8')) as Form[];
  say(`${forms.length} questions of ${shown(file)}`);
  const client = new OpenAI({ baseURL: `${millrace.url}/v1`, apiKey: millrace.apiKey ?? 'none' });
  const turns: Turn[] = [];
  const transcript: string[] = [];
  for (const form of forms) {
    const response = await answerTo(client, millrace, upstream, form, turns.at(-1)?.response.id ?? null);
    turns.push({ form, response });
    const lines = linesOf({ form, response });
    for (const line of lines) say(line);
    transcript.push(...lines);
    say('');
  }
  const target = join(out, 'transcript.md');
  writeFileSync(target, `# A conversation\n\n${transcript.map((line) => `    ${line}`).join('\n')}\n`);
  return {
    results: [`transcript: ${shown(target)}`],
    bill: await billOfJobs(
      millrace,
      turns.map(({ response }) => response.id),
    ),
    failures: [],
  };
}

/** The answer to one form. Sent before, it is the one given then; one that failed in an earlier run is tried again. */
async function answerTo(
  client: OpenAI,
  millrace: Millrace,
  upstream: string,
  form: Form,
  previous: string | null,
): Promise<OpenAI.Responses.Response> {
  const first = TOOL_OF[form['topic'] ?? ''];
  const request = {
    instructions: INSTRUCTIONS,
    input: Object.entries(form)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    tools: TOOLS,
    // Forced for the first call only; whatever else is needed, the model decides.
    tool_choice: first === undefined ? ('auto' as const) : { type: 'function' as const, name: first },
    previous_response_id: previous,
    // So that a failure is a job to be tried again, and not an error of the connection.
    background: true,
  };
  for (let attempt = 1; ; attempt++) {
    const headers = { 'Idempotency-Key': keyOf(upstream, request, attempt) };
    const { id } = await client.responses.create(request, { headers, signal: millrace.signal });
    const job = await millrace.ended(id);
    if (job.status === 'completed') {
      const response = await client.responses.retrieve(id);
      refuseUnanswered(response, millrace.url);
      return response;
    }
    if (endedBefore(job, millrace.began)) continue;
    throw new Error(`'${form['question']}' was not answered: ${job.error?.message ?? job.status}`);
  }
}

/** A call of a function is left to the client where that is not registered; those that were made are told otherwise. */
function refuseUnanswered({ output }: OpenAI.Responses.Response, url: string): void {
  const open = output.find((item) => item.type === 'function_call');
  if (open === undefined) return;
  throw new Error(
    `the Millrace at ${url} has no tool '${open.name}': start it with MILLRACE_CONFIG=examples/support-agent/millrace.config.ts`,
  );
}

function linesOf({ form, response }: Turn): string[] {
  const tools = response.output.flatMap((item) =>
    item.type === 'mcp_call' ? [`tool      ${item.name} ${item.arguments} → ${item.output ?? item.error}`] : [],
  );
  return [
    `customer  ${form['question']}`,
    ...tools,
    `agent     ${response.output_text.replaceAll('\n', '\n          ')}`,
  ];
}
