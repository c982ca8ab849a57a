/**
 * The baseline: what a user would write first to stream. A loop over the `openai` SDK as it comes, so many streams in
 * flight, each read to its end. Prints its CPU seconds as one JSON line.
 */
import OpenAI from 'openai';

const [baseURL = '', count = '1000', inFlight = '200'] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 });

let next = 0;
let events = 0;
async function loop(total: number): Promise<void> {
  while (next < total) {
    const stream = await client.responses.create({ model: 'bench', input: `prompt ${next++}`, stream: true });
    let done = false;
    for await (const event of stream) {
      events++;
      if (event.type === 'response.completed') done = true;
    }
    if (!done) throw new Error('a stream was cut');
  }
}

async function run(total: number): Promise<void> {
  next = 0;
  await Promise.all(Array.from({ length: Number(inFlight) }, () => loop(total)));
}

await run(Number(inFlight) * 2); // warm-up, as the worker has it
events = 0;
const cpu = process.cpuUsage();
const began = performance.now();
await run(Number(count));
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    cpuSeconds: (user + system) / 1e6,
    seconds: (performance.now() - began) / 1000,
    eventsEach: events / Number(count),
  }),
);
