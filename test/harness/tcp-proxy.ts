/**
 * A TCP proxy for fault tests: what goes through it can be held back, cut, reset or delayed, and sent elsewhere, while
 * both ends stay as they are. What is held back arrives after all once it passes again, as on a route that comes back.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  url: string;
  port: number;
  /** No bytes pass either way, connections stay open, new ones are accepted and as silent. */
  stall(): void;
  /** Every connection is closed, and new ones are closed at once. */
  cut(): void;
  /** Every connection ends with an RST; new ones are let through. */
  reset(): void;
  /** From now on every piece arrives this much later, in order. 0: at once. */
  delay(ms: number): void;
  /** Ends a stall or a cut. */
  heal(): void;
  /** New connections go to this port; those that are open end with an RST. */
  switchTo(port: number): void;
  /** Connections that a stall, a cut, a reset or a switch has hit so far. */
  hit(): number;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  target: Socket | null;
}

const HOST = '127.0.0.1';

/** Starts a proxy, on a free port of the loopback, before `targetPort` of the loopback. */
export async function tcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  const late = new Set<NodeJS.Timeout>();
  let state: 'passes' | 'stalls' | 'cut' = 'passes';
  let delayMs = 0;
  let hits = 0;

  const both = ({ client, target }: Pair): Socket[] => (target === null ? [client] : [client, target]);

  const forward = (from: Socket, to: Socket): void => {
    const later = (act: () => void): void => {
      if (delayMs === 0) {
        act();
        return;
      }
      const timer = setTimeout(() => {
        late.delete(timer);
        act();
      }, delayMs);
      late.add(timer);
    };
    from.on('data', (piece) =>
      later(() => {
        if (to.destroyed || to.write(piece) || state === 'stalls') return;
        from.pause();
        to.once('drain', () => {
          if (state !== 'stalls') from.resume();
        });
      }),
    );
    from.on('end', () => later(() => to.end()));
  };

  const join = (pair: Pair): void => {
    const { client } = pair;
    const target = connect(targetPort, HOST);
    pair.target = target;
    // Either side may go at any time in these tests; the other side goes with it.
    target.on('error', () => undefined);
    target.on('close', () => client.destroy());
    client.on('close', () => target.destroy());
    forward(client, target);
    forward(target, client);
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (state === 'cut') {
      hits += 1;
      client.destroy();
      return;
    }
    const pair: Pair = { client, target: null };
    pairs.add(pair);
    client.on('error', () => undefined);
    client.on('close', () => pairs.delete(pair));
    if (state === 'passes') join(pair);
    else hits += 1;
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  const resetAll = (): void => {
    hits += pairs.size;
    for (const { client, target } of pairs) {
      client.resetAndDestroy();
      target?.destroy();
    }
  };
  return {
    url: `redis://${HOST}:${port}`,
    port,
    stall: () => {
      state = 'stalls';
      hits += pairs.size;
      for (const pair of pairs) for (const socket of both(pair)) socket.pause();
    },
    cut: () => {
      state = 'cut';
      hits += pairs.size;
      for (const pair of pairs) for (const socket of both(pair)) socket.destroy();
    },
    reset: resetAll,
    delay: (ms) => {
      delayMs = ms;
    },
    heal: () => {
      state = 'passes';
      for (const pair of pairs) {
        if (pair.target === null) join(pair);
        for (const socket of both(pair)) socket.resume();
      }
    },
    switchTo: (newPort) => {
      targetPort = newPort;
      resetAll();
    },
    hit: () => hits,
    close: async () => {
      for (const timer of late) clearTimeout(timer);
      for (const pair of pairs) for (const socket of both(pair)) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
