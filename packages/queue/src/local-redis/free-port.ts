/** A TCP port of the loopback that nobody listens on. */
import { createServer } from 'node:net';

/** The kernel's choice; somebody may take it before it is used, so whoever uses it tries again with another. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => done(port));
    });
  });
}
