/**
 * What a user would write first: a loop over the `openai` SDK, 50 calls in flight as p-limit would keep them, and the
 * SDK's own retries turned up to 8. Prints what became of the jobs as one JSON line.
 */
import OpenAI from 'openai';
import { mixedJobs, requestOf } from './workload.ts';

const IN_FLIGHT = 50;
const RETRIES = 8;

const [baseURL = '', model = ''] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'bench', maxRetries: RETRIES });
const jobs = mixedJobs();
let next = 0;
let completed = 0;
let failed = 0;

async function loop(): Promise<void> {
  for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
    try {
      await client.responses.create({ model, ...requestOf(job) });
      completed++;
    } catch {
      // What the SDK gives up is lost: there is no queue to go back to.
      failed++;
    }
  }
}

const beganAt = Date.now();
const began = performance.now();
await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
console.log(JSON.stringify({ beganAt, seconds: (performance.now() - began) / 1000, completed, failed }));
