/** What keeps a role from starting, or makes it wait: said in words an operator can act on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { spawnRole, startRole } from '../harness/processes.ts';
import { freshRedis, type TestRedis } from '../harness/redis.ts';

let folder: string;
let redis: TestRedis;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-config-'));
  redis = await freshRedis();
});
afterAll(async () => {
  await redis?.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function endsWith(
  role: 'api' | 'worker' | 'dashboard',
  env: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const { process } = spawnRole(role, env);
  const code = await process.exited;
  return { code, said: process.lines.join('\n') };
}

async function config(content: string, name = 'millrace.config.json'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

it('a configuration with three faults: all three are named with their paths, and nothing starts', async () => {
  const file = await config(
    JSON.stringify({
      queues: { generate: { attempts: 0, upstream: 'elsewhere' }, extract: { concurency: 5 } },
      schemas: {
        bad: {
          type: 'object',
          properties: { a: { type: 'object', properties: {}, required: [] } },
          required: ['a'],
          additionalProperties: false,
        },
      },
    }),
  );
  for (const role of ['api', 'worker'] as const) {
    const { code, said } = await endsWith(role, { REDIS_URL: redis.url, MILLRACE_CONFIG: file });
    expect(code).toBe(1);
    expect(said).toContain('3 faults');
    expect(said).toContain('queues.generate.attempts');
    expect(said).toContain('queues.extract.concurency');
    expect(said).toContain('schemas.bad.properties.a');
    expect(said).not.toContain('    at ');
  }
});

it('names that lead nowhere, a missing file and broken JSON are said as such', async () => {
  const names = await config(JSON.stringify({ queues: { generate: { upstream: 'elsewhere' } } }));
  expect((await endsWith('api', { REDIS_URL: redis.url, MILLRACE_CONFIG: names })).said).toContain(
    "queues.generate.upstream: 'elsewhere'",
  );
  expect((await endsWith('api', { REDIS_URL: redis.url, MILLRACE_CONFIG: join(folder, 'none.json') })).said).toContain(
    'no file at',
  );
  const broken = await config('{"queues": ');
  expect((await endsWith('api', { REDIS_URL: redis.url, MILLRACE_CONFIG: broken })).said).toContain(
    'millrace.config.json',
  );
});

it('a TypeScript configuration with a zod schema is taken', async () => {
  const core = JSON.stringify(join(import.meta.dirname, '..', '..', 'packages', 'core', 'src', 'index.ts'));
  const zod = JSON.stringify(
    join(import.meta.dirname, '..', '..', 'packages', 'core', 'node_modules', 'zod', 'index.js'),
  );
  const file = await config(
    `import { defineConfig } from ${core};\nimport { z } from ${zod};\n` +
      `export default defineConfig({ queues: { mine: {} }, schemas: { invoice: z.object({ total: z.number() }) } });\n`,
    'millrace.config.ts',
  );
  const api = await startRole('api', { REDIS_URL: redis.url, MILLRACE_CONFIG: file });
  const reply = await call('POST', `${api.url}/v1/jobs`, { type: 'extract', document: 'd', schema: 'invoice' });
  expect([reply.status, reply.body.queue]).toEqual([202, 'mine']);
  await api.stop();
});

it('every fault of the environment is named at once, and no secret is repeated', async () => {
  const { code, said } = await endsWith('api', {
    REDIS_URL: 'localhost:6379',
    MILLRACE_API_PORT: 'x',
    MILLRACE_API_KEYS: 'ops:admin:topsecret1,viewer:topsecret2',
    MILLRACE_LOG_LEVEL: 'loud',
  });
  expect(code).toBe(1);
  for (const name of [
    'REDIS_URL',
    'MILLRACE_API_PORT',
    'MILLRACE_API_KEYS: key 1',
    'MILLRACE_API_KEYS: key 2',
    'MILLRACE_LOG_LEVEL',
  ]) {
    expect(said).toContain(name);
  }
  expect(said).not.toContain('topsecret');
});

it('listening beyond this machine without a key is refused', async () => {
  const { code, said } = await endsWith('api', { REDIS_URL: redis.url, MILLRACE_HOST: '0.0.0.0' });
  expect(code).toBe(1);
  expect(said).toContain('MILLRACE_API_KEYS');
});

it('a port that is taken is named with the variable that changes it', async () => {
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port));
  });
  for (const [role, variable] of [
    ['api', 'MILLRACE_API_PORT'],
    ['worker', 'MILLRACE_WORKER_PORT'],
  ] as const) {
    const { code, said } = await endsWith(role, { REDIS_URL: redis.url, [variable]: String(port) });
    expect(code).toBe(1);
    expect(said).toContain(String(port));
    expect(said).toContain(variable);
  }
  await new Promise((resolve) => holder.close(resolve));
});

it('a Redis that may evict jobs is refused by every role', async () => {
  const evicting = await freshRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
  for (const role of ['api', 'worker'] as const) {
    const { code, said } = await endsWith(role, { REDIS_URL: evicting.url });
    expect(code).toBe(1);
    expect(said).toContain('noeviction');
  }
  await evicting.dispose();
});

it('a Redis that is too old is refused', async () => {
  const old = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      for (const command of data.toString().split('*').slice(1)) {
        const info = '# Server\r\nredis_version:6.2.14\r\nloading:0\r\n';
        socket.write(/info/i.test(command) ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
      }
    });
  });
  const port = await new Promise<number>((resolve) => {
    old.listen(0, '127.0.0.1', () => resolve((old.address() as { port: number }).port));
  });
  const { code, said } = await endsWith('api', { REDIS_URL: `redis://127.0.0.1:${port}` });
  expect(code).toBe(1);
  expect(said).toContain('6.2.14');
  expect(said).toContain('7.0');
  await new Promise((resolve) => old.close(resolve));
});

it('a Redis whose answers are not on disk is used with a loud warning, and /readyz says memory', async () => {
  const forgetful = await freshRedis({ settings: { appendonly: 'no' } });
  const api = await startRole('api', { REDIS_URL: forgetful.url });
  expect((await call('GET', `${api.url}/readyz`)).body).toMatchObject({ ready: true, durability: 'memory' });
  expect(api.lines.some((line) => line.includes('"warn"') && line.includes('fsync'))).toBe(true);
  await api.stop();
  await forgetful.dispose();
});

it('with Redis away the API starts, answers 503 within a second, and serves once Redis is there', async () => {
  const gone = await freshRedis();
  const port = Number(new URL(gone.url).port);
  await gone.stop();
  const api = await startRole('api', { REDIS_URL: gone.url });
  const job = { type: 'generate', request: { input: 'x' } };
  for (const [method, path, body] of [
    ['POST', '/v1/jobs', job],
    ['GET', '/v1/jobs', undefined],
    ['GET', '/metrics', undefined],
  ] as const) {
    const began = performance.now();
    const reply = await call<{ error: { code: string } }>(method, `${api.url}${path}`, body);
    expect([reply.status, reply.body.error.code]).toEqual([503, 'redis_unavailable']);
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(performance.now() - began).toBeLessThan(1000);
  }
  expect((await call('GET', `${api.url}/readyz`)).status).toBe(503);
  expect((await call('GET', `${api.url}/healthz`)).status).toBe(200);
  const back = await freshRedis({ port });
  await eventually('the API serves again', async () => (await call('POST', `${api.url}/v1/jobs`, job)).status === 202);
  await api.stop();
  await back.dispose();
  await gone.dispose();
});

it('a Redis that keeps its sockets open and says nothing is noticed within a second too', async () => {
  const frozen = await freshRedis();
  const api = await startRole('api', { REDIS_URL: frozen.url });
  const job = { type: 'generate', request: { input: 'x' } };
  expect((await call('POST', `${api.url}/v1/jobs`, job)).status).toBe(202);
  process.kill(frozen.pid, 'SIGSTOP');
  try {
    const began = performance.now();
    const reply = await call('POST', `${api.url}/v1/jobs`, job);
    expect(reply.status).toBe(503);
    expect(performance.now() - began).toBeLessThan(1500);
  } finally {
    process.kill(frozen.pid, 'SIGCONT');
  }
  await eventually('the API serves again', async () => (await call('POST', `${api.url}/v1/jobs`, job)).status === 202);
  await api.stop();
  await frozen.dispose();
});
