/** What the fault tests rely on: the proxy does to connections what it says, and its counter tells that it did. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';

interface Peer {
  socket: Socket;
  heard: () => string;
}

const servers: Server[] = [];
const peers: Peer[] = [];
let proxy: TcpProxy;

/** A server that answers each piece with `name` and the piece. */
async function echo(name: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (piece) => socket.write(`${name}:${piece}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function open(): Promise<Peer> {
  const socket = connect(proxy.port, '127.0.0.1');
  let text = '';
  socket.on('data', (piece) => {
    text += String(piece);
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const peer = { socket, heard: () => text };
  peers.push(peer);
  return peer;
}

const hears = (peer: Peer, text: string) => eventually(`${text} is heard`, () => peer.heard() === text, 5000);

beforeEach(async () => {
  proxy = await tcpProxy(await echo('a'));
});
afterEach(async () => {
  for (const { socket } of peers.splice(0)) socket.destroy();
  await proxy.close();
  for (const server of servers.splice(0)) server.close();
});

it('a stall holds every byte back, of open and of new connections, and lets them all pass once healed', async () => {
  const first = await open();
  first.socket.write('1');
  await hears(first, 'a:1');
  proxy.stall();
  const second = await open();
  first.socket.write('2');
  second.socket.write('3');
  // A connection of its own shows that there was time enough for the others.
  const witness = connect(proxy.port, '127.0.0.1');
  await once(witness, 'connect');
  witness.destroy();
  await eventually('both are hit', () => proxy.hit() >= 2);
  expect([first.heard(), second.heard()]).toEqual(['a:1', '']);
  proxy.heal();
  await hears(first, 'a:1a:2');
  await hears(second, 'a:3');
});

it('a cut closes what is open and what comes, until healed', async () => {
  const first = await open();
  first.socket.write('1');
  await hears(first, 'a:1');
  proxy.cut();
  await once(first.socket, 'close');
  const second = await open();
  await once(second.socket, 'close');
  expect(proxy.hit()).toBe(2);
  proxy.heal();
  const third = await open();
  third.socket.write('2');
  await hears(third, 'a:2');
});

it('a reset is one: ECONNRESET; and a switch leads new connections elsewhere', async () => {
  const first = await open();
  first.socket.write('1');
  await hears(first, 'a:1');
  const error = new Promise<NodeJS.ErrnoException>((resolve) => first.socket.once('error', resolve));
  proxy.switchTo(await echo('b'));
  expect((await error).code).toBe('ECONNRESET');
  const second = await open();
  second.socket.write('2');
  await hears(second, 'b:2');
});

it('a delay is kept, and keeps the order', async () => {
  proxy.delay(100);
  const peer = await open();
  const began = performance.now();
  peer.socket.write('1');
  await hears(peer, 'a:1');
  // There and back; timers may fire a millisecond early.
  expect(performance.now() - began).toBeGreaterThan(190);
});
