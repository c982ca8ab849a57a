/** How much later the first token comes than it would directly. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import OpenAI from 'openai';
import { startRole } from '../../harness/processes.ts';
import { freshRedis } from '../../harness/redis.ts';
import { median, percentile, print, round } from '../figures.ts';

const FIRST_TOKENS = 150;
const ANSWER_GOES_ON_MS = 50;

/** One stream at a time on an idle stack; the upstream is in this process, so that all ends share a clock. */
export async function firstToken(): Promise<void> {
  const response = { id: 'resp_1', object: 'response', status: 'in_progress', model: 'bench', output: [] };
  const events = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    { type: 'response.output_text.delta', item_id: 'm', output_index: 0, content_index: 0, delta: 'first' },
    { type: 'response.completed', response: { ...response, status: 'completed' } },
  ];
  const frames = events.map(
    (event, i) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: i })}\n\n`,
  );
  const upstream = createServer((request, answer) => {
    request.resume();
    request.on('end', () => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).write(frames.slice(0, 3).join(''));
      // An answer goes on after its first token.
      setTimeout(() => answer.end(frames[3]), ANSWER_GOES_ON_MS);
    });
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as { port: number };
  const baseURL = `http://127.0.0.1:${port}/v1`;
  const redis = await freshRedis();
  const env = { REDIS_URL: redis.url, OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: 'bench' };
  const [api, worker] = await Promise.all([startRole('api', env), startRole('worker', env)]);
  const clients = {
    direct: new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 }),
    through: new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'bench', maxRetries: 0 }),
  };
  const took = { direct: [] as number[], through: [] as number[] };
  try {
    for (let i = 0; i < FIRST_TOKENS + 20; i++) {
      for (const way of ['direct', 'through'] as const) {
        const began = performance.now();
        const stream = await clients[way].responses.create({ model: 'bench', input: 'hi', stream: true });
        let first = 0;
        for await (const event of stream) if (event.type.endsWith('.delta')) first ||= performance.now() - began;
        if (i >= 20) took[way].push(first);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    const later = took.through.map((ms, i) => ms - (took.direct[i] as number));
    print({
      bench: 'streaming',
      what: 'first token later than directly, ms',
      streams: FIRST_TOKENS,
      direct_p50: round(median(took.direct), 1),
      through_p50: round(median(took.through), 1),
      later_p50: round(median(later), 1),
      later_p99: round(percentile(later, 0.99), 1),
      goal: 'later_p50 <= 10',
    });
  } finally {
    await Promise.all([api.stop(), worker.stop()]);
    upstream.closeAllConnections();
    upstream.close();
    await redis.dispose();
  }
}
