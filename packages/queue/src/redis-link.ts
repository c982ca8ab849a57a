/**
 * One lean connection to Redis, for a thread that must not cost what a whole client does (14 MiB): it keeps connecting
 * until it is closed, never queues what cannot be sent now, and never throws.
 */
import { connect, type Socket } from 'node:net';
import type { RedisAddress } from './redis-address.ts';
import { encodeCommand, type Reply, ReplyError, ReplyReader } from './resp.ts';

export interface RedisLink {
  /** Commands can be sent. */
  ready(): boolean;
  /**
   * Sends the commands in one go; resolves to their replies, refusals among them as ReplyError.
   * @throws Error (rejects) when the connection is not ready, or ends before the last reply.
   */
  ask(commands: readonly (readonly string[])[]): Promise<Reply[]>;
  /** Gives this connection up; the next one is tried soon. */
  drop(): void;
  /** For good. */
  close(): void;
}

/** A route that is back is used within a second; the system's own tries grow ever slower. */
const RECONNECT_MS = 250;
const CONNECT_TIMEOUT_MS = 1000;

interface Asked {
  missing: number;
  replies: Reply[];
  resolve: (replies: Reply[]) => void;
  reject: (error: Error) => void;
}

/**
 * Opens it; returns before it is connected.
 * @param name as CLIENT LIST shows it
 * @param onReady told each time that it is connected
 */
export async function openRedisLink(address: RedisAddress, name: string, onReady: () => void): Promise<RedisLink> {
  const dial = await dialler(address);
  /** Its bound is the caller's: all that it asks before it has the replies. */
  let asked: Asked[] = [];
  let socket: Socket | null = null;
  let ready = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const ask = (commands: readonly (readonly string[])[]): Promise<Reply[]> =>
    new Promise((resolve, reject) => {
      if (socket === null || commands.length === 0) return resolve([]);
      asked.push({ missing: commands.length, replies: [], resolve, reject });
      socket.write(commands.map(encodeCommand).join(''));
    });

  const take = (reply: Reply): void => {
    const [first] = asked;
    if (first === undefined) throw new Error('a reply to nothing');
    first.replies.push(reply);
    if (--first.missing > 0) return;
    asked.shift();
    first.resolve(first.replies);
  };

  /** Who has not got in (AUTH) is refused at what he asks; but in another database than meant nothing may be asked. */
  const greet = async (current: Socket): Promise<void> => {
    const { username, password, db } = address;
    if (password !== null) await ask([username === null ? ['AUTH', password] : ['AUTH', username, password]]);
    if (db !== 0) {
      const [selected] = await ask([['SELECT', String(db)]]);
      if (selected instanceof ReplyError) throw selected;
    }
    await ask([['CLIENT', 'SETNAME', name]]);
    if (socket !== current) return;
    clearTimeout(timer);
    ready = true;
    onReady();
  };

  const open = (): void => {
    const current = dial();
    const reader = new ReplyReader();
    socket = current;
    timer = setTimeout(() => current.destroy(), CONNECT_TIMEOUT_MS);
    current.setNoDelay(true);
    // A broken connection closes, which is what is acted upon.
    current.on('error', () => undefined);
    current.on(address.tls === null ? 'connect' : 'secureConnect', () => {
      greet(current).catch(() => current.destroy());
    });
    current.on('data', (chunk: Buffer) => {
      try {
        for (const reply of reader.read(chunk)) take(reply);
      } catch {
        // Whatever this is, it is not Redis: the next connection may be.
        current.destroy();
      }
    });
    current.on('close', () => {
      clearTimeout(timer);
      socket = null;
      ready = false;
      const lost = asked;
      asked = [];
      for (const { reject } of lost) reject(new Error('the connection to Redis is lost'));
      if (!closed) timer = setTimeout(open, RECONNECT_MS);
    });
  };
  open();

  return {
    ready: () => ready,
    ask: (commands) => (ready ? ask(commands) : Promise.reject(new Error('Redis is not connected'))),
    drop: () => socket?.destroy(),
    close: () => {
      closed = true;
      clearTimeout(timer);
      socket?.destroy();
    },
  };
}

async function dialler(address: RedisAddress): Promise<() => Socket> {
  const { host, port, family, path, tls } = address;
  const where = path === null ? { host, port, family } : { path };
  if (tls === null) return () => connect(where);
  // TLS costs 5 MiB: only where it is used.
  const { connect: connectTls } = await import('node:tls');
  return () => connectTls({ ...where, ...tls });
}
