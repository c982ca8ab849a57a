/** A TCP proxy before Redis for tests: it loses a reply together with its connection, swallows everything, or is slow. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const PIECE_EVERY_MS = 20;

export interface LossyProxy {
  url: string;
  /** The next reply to a request that holds `text` is lost, and its connection with it. Resolves when that was done. */
  loseReplyTo(text: string): Promise<void>;
  /** From now on, connections that are open carry nothing more, and are not closed either; new ones work. */
  swallow(): void;
  /** From now on replies come so many bytes at a time, every 20 ms. */
  trickle(bytes: number): void;
  close(): Promise<void>;
}

export async function lossyProxy(port: number): Promise<LossyProxy> {
  const sockets = new Set<Socket>();
  const deaf = new WeakSet<Socket>();
  let atATime = Number.POSITIVE_INFINITY;
  let losing: { text: string; lost: () => void } | null = null;
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    let doomed: (() => void) | null = null;
    for (const socket of [client, redis]) {
      sockets.add(socket);
      // Either side may go at any time in these tests; the close of the other follows.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        if (!deaf.has(socket)) for (const other of [client, redis]) other.destroy();
      });
    }
    client.on('data', (data) => {
      if (deaf.has(client)) return;
      if (losing !== null && data.includes(losing.text)) {
        doomed = losing.lost;
        losing = null;
      }
      redis.write(data);
    });
    redis.on('data', (data) => {
      if (deaf.has(client)) return;
      if (doomed === null) {
        client.write(data);
        if (data.length >= atATime) {
          redis.pause();
          setTimeout(() => redis.resume(), (PIECE_EVERY_MS * data.length) / atATime);
        }
        return;
      }
      client.destroy();
      doomed();
      doomed = null;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    loseReplyTo: (text) =>
      new Promise((lost) => {
        losing = { text, lost };
      }),
    swallow: () => {
      for (const socket of sockets) deaf.add(socket);
    },
    trickle: (bytes) => {
      atATime = bytes;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
