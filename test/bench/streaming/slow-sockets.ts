/** What 500 sockets that dribble their requests cost everybody else. */
import { connect, type Socket } from 'node:net';
import { eventually } from '../../harness/eventually.ts';
import { call } from '../../harness/http.ts';
import { startRole } from '../../harness/processes.ts';
import { freshRedis } from '../../harness/redis.ts';
import { median, percentile, print, round } from '../figures.ts';

const SLOW_SOCKETS = 500;
const DRIBBLE_MS = 100;
const HEALTHY = 300;

/** Requests of one client while others never come to the end of theirs: half in their headers, half in their bodies. */
export async function slowSockets(): Promise<void> {
  const redis = await freshRedis();
  const api = await startRole('api', { REDIS_URL: redis.url, OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' });
  const { hostname, port } = new URL(api.url);
  const head = 'POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const slow: Socket[] = [];
  const healthy = async (): Promise<number[]> => {
    const took: number[] = [];
    for (let i = 0; i < HEALTHY; i++) {
      const began = performance.now();
      await call('POST', `${api.url}/v1/responses`, { model: 'bench', input: `${i}`, background: true });
      took.push(performance.now() - began);
    }
    return took;
  };
  const dribble = setInterval(() => {
    for (const [i, socket] of slow.entries()) socket.write(i % 2 === 0 ? 'X-A: b\r\n' : ' ');
  }, DRIBBLE_MS);
  try {
    const alone = await healthy();
    for (let i = 0; i < SLOW_SOCKETS; i++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.write(i % 2 === 0 ? head : `${head}Content-Length: 100000\r\n\r\n{`);
      slow.push(socket);
    }
    await eventually('all are connected', () => slow.every(({ readyState }) => readyState === 'open'));
    const beside = await healthy();
    print({
      bench: 'streaming',
      what: 'requests beside sockets that dribble theirs, ms',
      slow_sockets: SLOW_SOCKETS,
      requests: HEALTHY,
      alone: { p50: round(median(alone), 1), p99: round(percentile(alone, 0.99), 1) },
      beside: { p50: round(median(beside), 1), p99: round(percentile(beside, 0.99), 1) },
      goal: 'beside.p99 < 250',
    });
  } finally {
    clearInterval(dribble);
    for (const socket of slow) socket.destroy();
    await api.stop();
    await redis.dispose();
  }
}
