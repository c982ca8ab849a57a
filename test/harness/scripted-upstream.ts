/** An upstream that streams exactly the events a test gives it, for what no simulator would send. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Call {
  body: Record<string, unknown>;
  response: ServerResponse;
  /** Writes an event as an upstream would. */
  send(event: { type: string }): void;
}

export interface ScriptedUpstream {
  url: string;
  /** Calls that have come and were not taken yet, in order. */
  next(): Promise<Call>;
  /** How many calls have come. */
  calls(): number;
  close(): Promise<void>;
}

export async function scriptedUpstream(): Promise<ScriptedUpstream> {
  let calls = 0;
  const come: Call[] = [];
  const waiting: ((call: Call) => void)[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    calls += 1;
    const send = (event: { type: string }): void => {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    };
    const call = { body: JSON.parse(Buffer.concat(chunks).toString() || '{}'), response, send };
    const taker = waiting.shift();
    if (taker === undefined) come.push(call);
    else taker(call);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    next: () => {
      const call = come.shift();
      return call === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(call);
    },
    calls: () => calls,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
