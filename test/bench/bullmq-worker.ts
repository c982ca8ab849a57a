/**
 * BullMQ alone around the same lean call, for `bench recording`: the request is the job's data, the answer its return
 * value. No record of ours at all, so nothing that Millrace is there for survives here; the leanest worker there can be.
 */
import { loadConfig, type ResponsesBody, readEnvironment } from '@millrace/core';
import { connectRedis } from '@millrace/queue';
import { openUpstream } from '@millrace/upstream';
import { Worker } from 'bullmq';

const NAME = 'generate';

const environment = readEnvironment();
const { queues, upstreams } = await loadConfig(environment);
const settings = queues[NAME];
const config = upstreams[settings?.upstream ?? ''];
if (environment.redisUrl === null || settings === undefined || config === undefined) throw new Error('no settings');
const upstream = openUpstream(config);
const connection = connectRedis(environment.redisUrl, 'patient', (error) => console.error(error));

const worker = new Worker<ResponsesBody>(
  NAME,
  async ({ data }) => {
    const outcome = await upstream.call({
      body: data,
      type: 'generate',
      timeoutMs: settings.timeoutSeconds * 1000,
      signal: new AbortController().signal,
    });
    if (outcome.kind !== 'completed') throw new Error(outcome.kind);
    return outcome.answer;
  },
  { connection, concurrency: settings.concurrency },
);
worker.on('error', (error) => console.error(error));

await worker.waitUntilReady();
console.log('ready');
