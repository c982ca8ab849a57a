/** The lean connection: gets in as its URL says, keeps connecting, and never hangs on a peer that does not answer. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { connectRedis } from './connect.ts';
import { type RedisAddress, redisAddress } from './redis-address.ts';
import { openRedisLink, type RedisLink } from './redis-link.ts';
import { ReplyError } from './resp.ts';

let redis: TestRedis;
let opened: { close(): unknown }[] = [];
beforeAll(async () => {
  redis = await freshRedis();
});
afterAll(() => redis?.dispose());
afterEach(() => {
  for (const one of opened) one.close();
  opened = [];
});

/** A link, and how often it was told to be ready. */
async function link(address: RedisAddress): Promise<RedisLink & { times(): number }> {
  let times = 0;
  const one = await openRedisLink(address, 'a-link', () => times++);
  opened.push(one);
  return { ...one, times: () => times };
}
const ready = (one: RedisLink): Promise<unknown> => eventually('it is ready', () => one.ready());

/** A peer that does with its connections what the test wants. */
async function peer(server: Server, onConnection: (socket: Socket) => void): Promise<RedisAddress> {
  const sockets: Socket[] = [];
  const secure = server instanceof (await import('node:tls')).Server;
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return redisAddress(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

describe('an address', () => {
  it('has all that a URL can say', () => {
    expect(redisAddress('rediss://user:p%40ss@[::1]:7000/3?family=6')).toEqual({
      host: '::1',
      port: 7000,
      family: 6,
      path: null,
      username: 'user',
      password: 'p@ss',
      db: 3,
      tls: {},
    });
    expect(redisAddress('redis://:secret@redis.example')).toMatchObject({ username: null, password: 'secret', db: 0 });
    expect(redisAddress('redis://redis.example')).toMatchObject({ port: 6379, password: null, tls: null });
    expect(structuredClone(redisAddress('rediss://redis.example'))).toEqual(redisAddress('rediss://redis.example'));
  });
});

describe('a link', () => {
  it('answers in order, refusals among the rest', async () => {
    const one = await link(redisAddress(redis.url));
    await ready(one);
    const [asked, refused, name] = await one.ask([['ECHO', 'ä'], ['NOSUCH'], ['CLIENT', 'GETNAME']]);
    expect([asked, name]).toEqual(['ä', 'a-link']);
    expect(refused).toBeInstanceOf(ReplyError);
  });

  it('gets in with a user, a password and a database', async () => {
    const admin = connectRedis(redis.url, 'hasty', () => undefined);
    opened.push({ close: () => admin.disconnect() });
    await eventually('the admin is in', () => admin.status === 'ready');
    await admin.call('ACL', 'SETUSER', 'beater', 'on', '>let me in', '~*', '+@all');
    const url = new URL(redis.url);
    const one = await link(redisAddress(`redis://beater:let%20me%20in@${url.host}/5`));
    await ready(one);
    expect(await one.ask([['ACL', 'WHOAMI']])).toEqual(['beater']);
    await one.ask([['SET', 'where', 'five']]);
    await admin.select(5);
    expect(await admin.get('where')).toBe('five');
  });

  it('asks nothing in another database than the one that was meant', async () => {
    const one = await link(redisAddress(`${redis.url}/9999`));
    const other = await link(redisAddress(redis.url));
    await ready(other);
    await eventually('it has tried again', async () => {
      const [stats] = await other.ask([['INFO', 'commandstats']]);
      return Number(/cmdstat_select:calls=(\d+)/.exec(String(stats))?.[1] ?? 0) >= 2;
    });
    expect(one.times()).toBe(0);
    await expect(one.ask([['PING']])).rejects.toThrow('not connected');
  });

  it('is there again after it was given up, and what was asked meanwhile is refused, not kept', async () => {
    const one = await link(redisAddress(redis.url));
    await ready(one);
    const waiting = one.ask([['BLPOP', 'nothing', '0']]);
    one.drop();
    await expect(waiting).rejects.toThrow('lost');
    await expect(one.ask([['PING']])).rejects.toThrow('not connected');
    await ready(one);
    expect(await one.ask([['PING']])).toEqual(['PONG']);
    expect(one.times()).toBe(2);
  });

  it('gives up a peer that takes the connection and says nothing', async () => {
    let closed = 0;
    const address = await peer(createServer(), (socket) => {
      socket.resume();
      socket.on('close', () => closed++);
    });
    const one = await link({ ...address, password: 'x' });
    await eventually('it has tried twice', () => closed >= 2);
    expect(one.times()).toBe(0);
  });

  it('gives up a peer that is no Redis', async () => {
    let connections = 0;
    const address = await peer(createServer(), (socket) => {
      connections++;
      socket.write('SSH-2.0-OpenSSH\r\n');
    });
    await link(address);
    await eventually('it has tried twice', () => connections >= 2);
  });

  it('speaks TLS', async () => {
    // A shared secret in place of certificates: nothing to generate, and nothing that runs out.
    const key = Buffer.from('6d696c6c', 'hex');
    const psk = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
    const address = await peer(createTlsServer({ ...psk, pskCallback: () => key }), (socket) => {
      socket.on('data', () => socket.write('+OK\r\n'));
    });
    const tls = { ...psk, pskCallback: () => ({ psk: key, identity: 'a' }), checkServerIdentity: () => undefined };
    const one = await link({ ...address, tls });
    await ready(one);
    expect(await one.ask([['PING']])).toEqual(['OK']);
  });
});
