/** The ports of this machine's stack: every one free and no two alike, before anything is started. */
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { StartError } from '@millrace/core';
import { freePort } from '@millrace/queue/local-redis';

/** A stack that was killed a moment ago is giving its ports back. */
const GIVE_BACK_MS = 2000;
const LOOK_EVERY_MS = 100;

export interface PortWish {
  part: string;
  variable: string;
  /** 0: any free one. */
  port: number;
}

/**
 * The port of each part, by its name.
 * @throws StartError naming every part whose port cannot be had, the port, and the variable to change.
 */
export async function settlePorts(host: string, wishes: readonly PortWish[]): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  const faults: string[] = [];
  const refusals = await Promise.all(wishes.map(({ port }) => (port === 0 ? null : refusalOf(host, port))));
  for (const [index, { part, variable, port }] of wishes.entries()) {
    const twin = [...ports].find(([, taken]) => taken === port && port !== 0)?.[0];
    if (twin !== undefined) {
      faults.push(`${part}: port ${port} is that of the ${twin} already; set ${variable} to another one`);
      continue;
    }
    const refusal = refusals[index] ?? null;
    if (refusal !== null) faults.push(`${part}: ${refusal}; set ${variable} to a free one`);
    ports.set(part, port === 0 ? await freePort() : port);
  }
  if (faults.length > 0)
    throw new StartError(`Nothing was started.\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  return ports;
}

async function refusalOf(host: string, port: number): Promise<string | null> {
  for (const started = Date.now(); ; ) {
    const code = await tryToListen(host, port);
    if (code === null) return null;
    if (code === 'EACCES') return `port ${port} may be opened by root only`;
    if (code !== 'EADDRINUSE') return `port ${port} of ${host} cannot be opened (${code})`;
    if (Date.now() - started > GIVE_BACK_MS) return `port ${port} of ${host} is taken by another program`;
    await wait(LOOK_EVERY_MS);
  }
}

function tryToListen(host: string, port: number): Promise<string | null> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(null)));
  });
}
