/**
 * The tutorial's worker under kills: a plain BullMQ queue, jobs added with the attempts and backoff that BullMQ's guide
 * shows (docs.bullmq.io/guide/retrying-failing-jobs), everything else left at its default.
 */
import { join } from 'node:path';
import { startSimulator } from '@millrace/simulator';
import { Queue } from 'bullmq';
import { freshRedis } from '../harness/redis.ts';
import { type NodeProcess, startNodeProcess } from './node-process.ts';
import type { JobEnd, RecoverySubject, RecoveryTerms } from './recovery-subject.ts';

const WORKER = join(import.meta.dirname, 'tutorial-worker.ts');

/** On a Redis of its own, with the settings that Millrace's has. */
export async function startTutorial(terms: RecoveryTerms): Promise<RecoverySubject> {
  const [redis, simulator] = await Promise.all([freshRedis(), startSimulator({ latencyMs: terms.callMs })]);
  const queue = new Queue('generate', { connection: { host: '127.0.0.1', port: redis.port } });
  const workers: NodeProcess[] = [];
  const accepted = new Map<string, string>();
  return {
    simulator,
    startWorker: async () => {
      const worker = await startNodeProcess(WORKER, {
        REDIS_URL: redis.url,
        OPENAI_BASE_URL: simulator.url,
        OPENAI_API_KEY: 'sk-simulated',
        CONCURRENCY: String(terms.concurrency),
      });
      workers.push(worker);
      return worker;
    },
    submit: async (prompts) => {
      for (const input of prompts) {
        const options = { attempts: 3, backoff: { type: 'exponential', delay: 1000 } };
        const job = await queue.add('generate', { model: terms.model, input }, options);
        accepted.set(String(job.id), input);
      }
    },
    left: async () => {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    jobs: () =>
      Promise.all(
        [...accepted].map(async ([id, prompt]): Promise<JobEnd> => {
          const [job, state] = await Promise.all([queue.getJob(id), queue.getJobState(id)]);
          return {
            prompt,
            outcome: state === 'completed' || state === 'failed' ? state : null,
            // BullMQ counts stalls, not calls: nothing says of a job that it may have been paid twice.
            marked: 0,
            interrupted: (job?.stalledCounter ?? 0) > 0,
          };
        }),
      ),
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.kill()));
      await queue.close();
      await Promise.all([simulator.close(), redis.dispose()]);
    },
  };
}
