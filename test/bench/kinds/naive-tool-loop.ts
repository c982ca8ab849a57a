/**
 * What a user would write first: tool loops over the `openai` SDK. It notes which have ended, and begins all others from
 * scratch when it is started again. Knows nothing of Millrace, and stays that way: it is the baseline.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import OpenAI from 'openai';
import { keyOf, promptOf } from './looped-jobs.ts';

const { BASE_URL, DONE = '', STEPS = '', JOBS, MODEL = '' } = process.env;
const TOOL_MS = 300;
const client = new OpenAI({ baseURL: BASE_URL, apiKey: 'bench' });
const parameters = {
  ...{ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  additionalProperties: false,
};
const tools: OpenAI.Responses.Tool[] = [{ type: 'function', name: 'slow_step', parameters, strict: true }];

async function loop(job: number): Promise<void> {
  const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: promptOf(job) }];
  for (;;) {
    const response = await client.responses.create({ model: MODEL, input, tools, metadata: { key: keyOf(job) } });
    const calls = response.output.filter((item) => item.type === 'function_call');
    if (calls.length === 0) break;
    input.push(...(response.output as OpenAI.Responses.ResponseInput));
    for (const { call_id } of calls) {
      appendFileSync(STEPS, `${keyOf(job)}\n`);
      await pause(TOOL_MS);
      input.push({ type: 'function_call_output', call_id, output: 'done' });
    }
  }
  appendFileSync(DONE, `${job}\n`);
}

const ended = new Set(existsSync(DONE) ? readFileSync(DONE, 'utf8').trim().split('\n') : []);
console.log('ready');
await Promise.all(
  Array.from({ length: Number(JOBS) }, (_, job) => job)
    .filter((job) => !ended.has(String(job)))
    .map(loop),
);
// Until it is killed, as a worker would be.
await new Promise(() => setInterval(() => undefined, 60_000));
