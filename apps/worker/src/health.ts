/** The worker's health port: alive, ready to take jobs, and this process's own metrics. */
import { createServer, type Server } from 'node:http';
import { StartError } from '@millrace/core';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface Health {
  port: number;
  close(): Promise<void>;
}

const ALL_REQUESTS_MS = 5000;

/**
 * Serves /healthz, /readyz and /metrics.
 * @throws StartError when the port is taken.
 */
export async function startHealth(
  host: string,
  port: number,
  state: {
    ready: () => { ready: boolean; [detail: string]: unknown };
    inFlight: () => number;
    restarts: () => number;
    clockSkewMs: () => number;
  },
): Promise<Health> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'millrace_worker_in_flight',
    help: 'Attempts that run in this worker now.',
    registers: [registry],
    collect() {
      this.set(state.inFlight());
    },
  });
  new Counter({
    name: 'millrace_worker_restarts_total',
    help: 'How often a BullMQ worker had to be started again because it took no jobs though some waited.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(state.restarts());
    },
  });
  new Gauge({
    name: 'millrace_worker_clock_skew_seconds',
    help: 'How far the clock of this machine is ahead of that of Redis.',
    registers: [registry],
    collect() {
      this.set(state.clockSkewMs() / 1000);
    },
  });
  const server = createServer((request, response) => {
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    switch (request.url) {
      case '/healthz':
        return json(200, { status: 'ok' });
      case '/readyz': {
        const readiness = state.ready();
        return json(readiness.ready ? 200 : 503, readiness);
      }
      case '/metrics':
        registry.metrics().then(
          (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
          () =>
            json(500, {
              error: { message: 'The metrics could not be read.', type: 'server_error', param: null, code: null },
            }),
        );
        return;
      default:
        return json(404, {
          error: { message: 'There is nothing here.', type: 'invalid_request_error', param: null, code: 'not_found' },
        });
    }
  });
  server.requestTimeout = ALL_REQUESTS_MS;
  await listen(server, host, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} on ${host} is taken; set MILLRACE_WORKER_PORT to another one.`;
      reject(error.code === 'EADDRINUSE' ? new StartError(taken) : error);
    });
    server.listen(port, host, () => resolve());
  });
}
