/**
 * The baseline: what a user would write first. A loop over the `openai` SDK as it comes, so many calls in flight, no
 * queue, no record, no durability. Prints its CPU seconds and peak memory as one JSON line.
 */
import { readFileSync } from 'node:fs';
import OpenAI from 'openai';

const [baseURL = '', count = '1000', inFlight = '200'] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 });

let next = 0;
async function loop(total: number): Promise<void> {
  while (next < total) {
    const response = await client.responses.create({ model: 'bench', input: `prompt ${next++}` });
    if (response.status !== 'completed') throw new Error(`answered ${response.status}`);
  }
}

async function run(total: number): Promise<void> {
  next = 0;
  await Promise.all(Array.from({ length: Number(inFlight) }, () => loop(total)));
}

await run(Number(inFlight) * 2); // warm-up: connections and compiled code, as the worker has them
const cpu = process.cpuUsage();
const began = performance.now();
await run(Number(count));
const { user, system } = process.cpuUsage(cpu);
const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
console.log(
  JSON.stringify({
    cpuSeconds: (user + system) / 1e6,
    seconds: (performance.now() - began) / 1000,
    peakMiB: peakKiB / 1024,
  }),
);
