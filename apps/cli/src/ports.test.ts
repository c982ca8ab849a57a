import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { settlePorts } from './ports.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function takenPort(): Promise<{ port: number; server: Server }> {
  const server = createServer();
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

test('a taken port is told with the part, the port and the variable to change, all of them at once', async () => {
  const [one, two] = await Promise.all([takenPort(), takenPort()]);
  const wishes = [
    { part: 'api', variable: 'MILLRACE_API_PORT', port: one.port },
    { part: 'dashboard', variable: 'MILLRACE_DASHBOARD_PORT', port: two.port },
  ];
  const error = await settlePorts('127.0.0.1', wishes).catch((reason: Error) => reason);
  const { message } = error as Error;
  expect(message).toContain(`api: port ${one.port} of 127.0.0.1 is taken by another program; set MILLRACE_API_PORT`);
  expect(message).toContain(`dashboard: port ${two.port}`);
  expect(message).toContain('MILLRACE_DASHBOARD_PORT');
  expect(message).toContain('Nothing was started');
});

test('a port that is being given back is waited for', async () => {
  const { port, server } = await takenPort();
  const settling = settlePorts('127.0.0.1', [{ part: 'api', variable: 'MILLRACE_API_PORT', port }]);
  server.close();
  expect((await settling).get('api')).toBe(port);
});

test('two parts on one port are refused', async () => {
  const { port, server } = await takenPort();
  server.close();
  await once(server, 'close');
  const wishes = [
    { part: 'api', variable: 'MILLRACE_API_PORT', port },
    { part: 'dashboard', variable: 'MILLRACE_DASHBOARD_PORT', port },
  ];
  await expect(settlePorts('127.0.0.1', wishes)).rejects.toThrow(`dashboard: port ${port} is that of the api already`);
});

test('port 0 is any free one, for each part another', async () => {
  const ports = await settlePorts('127.0.0.1', [
    { part: 'api', variable: 'A', port: 0 },
    { part: 'dashboard', variable: 'B', port: 0 },
  ]);
  expect(ports.get('api')).toBeGreaterThan(0);
  expect(ports.get('api')).not.toBe(ports.get('dashboard'));
});

test('an address that is not of this machine is told', async () => {
  const wishes = [{ part: 'api', variable: 'MILLRACE_API_PORT', port: 0 }];
  await expect(settlePorts('192.0.2.1', [{ ...wishes[0]!, port: 7070 }])).rejects.toThrow('port 7070 of 192.0.2.1');
});
