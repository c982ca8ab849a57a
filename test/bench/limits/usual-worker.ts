/**
 * The worker of a careful tutorial: BullMQ's `limiter` at the provider's requests per second, the `openai` SDK at its
 * defaults. Attempts and exponential backoff are the jobs' own. Knows nothing of Millrace: it is the baseline.
 */
import { Worker } from 'bullmq';
import OpenAI from 'openai';

const PER_SECOND = 50;

const { hostname: host, port } = new URL(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const client = new OpenAI();

const worker = new Worker(
  'generate',
  async (job) => {
    const response = await client.responses.create(job.data);
    return response.output_text;
  },
  { connection: { host, port: Number(port) }, concurrency: 50, limiter: { max: PER_SECOND, duration: 1000 } },
);
worker.on('error', (error) => console.error(error));

await worker.waitUntilReady();
console.log('ready');
