/** A thousand readers at once on one API process. */
import { get } from 'node:http';
import { eventually } from '../../harness/eventually.ts';
import { call } from '../../harness/http.ts';
import { startRole } from '../../harness/processes.ts';
import { freshRedis } from '../../harness/redis.ts';
import { percentile, print, round } from '../figures.ts';
import { cpuSeconds, peakMiB } from '../process-figures.ts';
import { startSimulatorProcess } from '../simulator-process.ts';

const READERS = 1000;
const STREAMS = 100;
const RUN_BOUND_MS = 300_000;

/** Ten readers of each of a hundred streams, all on one API process. */
export async function manyReaders(): Promise<void> {
  const simulator = await startSimulatorProcess({ latencyMs: 3000, streamEvents: 50, tokensPerSecond: 20 });
  const redis = await freshRedis();
  const env = { REDIS_URL: redis.url, OPENAI_BASE_URL: simulator.url, OPENAI_API_KEY: 'bench' };
  const [api, worker] = await Promise.all([startRole('api', env), startRole('worker', env)]);
  try {
    const ids = await Promise.all(
      Array.from({ length: STREAMS }, async (_, i) => {
        const body = { model: 'bench', input: `stream ${i}`, background: true };
        return (await call<{ id: string }>('POST', `${api.url}/v1/responses`, body)).body.id;
      }),
    );
    const before = cpuSeconds(api.child.pid);
    const idle = peakMiB(api.child.pid);
    let ended = 0;
    let whole = 0;
    for (let i = 0; i < READERS; i++) {
      get(`${api.url}/v1/responses/${ids[i % STREAMS]}?stream=true`, { agent: false }, (response) => {
        let last = '';
        response.on('data', (data: Buffer) => {
          last = (last + data).slice(-20_000);
        });
        response.on('close', () => {
          ended++;
          if (last.includes('event: response.completed')) whole++;
        });
      });
    }
    const healthy: number[] = [];
    await eventually(
      'all have read to the end',
      async () => {
        const began = performance.now();
        await call('GET', `${api.url}/healthz`);
        healthy.push(performance.now() - began);
        return ended === READERS;
      },
      RUN_BOUND_MS,
    );
    print({
      bench: 'streaming',
      what: 'readers at once on one API process',
      readers: READERS,
      streams: STREAMS,
      read_to_the_end: whole,
      api_cpu_seconds: round(cpuSeconds(api.child.pid) - before, 1),
      api_peak_mib_before: round(idle),
      api_peak_mib: round(peakMiB(api.child.pid)),
      healthz_p99_ms: round(percentile(healthy, 0.99), 1),
      goal: `read_to_the_end ${READERS}`,
    });
  } finally {
    await Promise.all([api.stop(), worker.stop(), simulator.stop()]);
    await redis.dispose();
  }
}
