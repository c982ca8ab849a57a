/**
 * What a user would write first: a BullMQ worker as BullMQ's guide shows it, which calls the `openai` SDK as OpenAI's
 * quickstart shows it. Default options throughout; the SDK takes its key and base URL from the environment and retries
 * twice by itself. Knows nothing of Millrace, and stays that way: it is the baseline.
 */
import { Worker } from 'bullmq';
import OpenAI from 'openai';

const { hostname: host, port } = new URL(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const client = new OpenAI();

const worker = new Worker(
  'generate',
  async (job) => {
    const response = await client.responses.create({ model: job.data.model, input: job.data.input });
    return response.output_text;
  },
  { connection: { host, port: Number(port) }, concurrency: Number(process.env.CONCURRENCY) },
);
worker.on('error', (error) => console.error(error));

await worker.waitUntilReady();
console.log('ready');
