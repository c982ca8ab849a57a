/** A door before an upstream that notes what is asked, word for word, and passes everything on. */
import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordedUpstream {
  /** The base URL, as the upstream's own. */
  url: string;
  /** The bodies of `POST /responses`, in the order in which they came. */
  asked: Record<string, unknown>[];
  close(): Promise<void>;
}

/** @param target base URL of the upstream: `http://127.0.0.1:7072/v1` */
export async function recordedUpstream(target: string): Promise<RecordedUpstream> {
  const asked: Record<string, unknown>[] = [];
  const { origin, pathname } = new URL(target);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (request.method === 'POST' && request.url?.endsWith('/responses')) asked.push(JSON.parse(body.toString()));
    const { method = 'GET', headers } = request;
    const passed = ask(`${origin}${request.url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    passed.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
