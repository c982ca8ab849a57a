/** An upstream before the simulator whose Chat Completions a test may spoil; all else goes through as it is. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a chat call gets: the simulator's answer, another text, a 500, or nothing at all. */
export type ChatAnswer = 'well' | 'otherwise' | 'failing' | 'silent';

export interface ChatSide {
  url: string;
  /** The simulator's; to be set before the first call. */
  target: string;
  answer: ChatAnswer;
  /** Chat calls that have come. */
  calls(): number;
  /** Those among them that wait for an answer and are still listened for. */
  waiting(): number;
  close(): Promise<void>;
}

export async function chatSide(): Promise<ChatSide> {
  let calls = 0;
  const waiting = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = (request.url ?? '').replace(/^\/v1/, '');
    const isChat = path === '/chat/completions';
    if (isChat) calls++;
    if (isChat && side.answer === 'silent') {
      waiting.add(response);
      response.on('close', () => waiting.delete(response));
      return;
    }
    if (isChat && side.answer === 'failing') {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: 'broken', type: 'server_error', param: null, code: null } }));
      return;
    }
    const reply = await fetch(`${side.target}${path}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json', authorization: request.headers.authorization ?? '' },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    const text = await reply.text();
    response.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? 'application/json' });
    response.end(isChat && side.answer === 'otherwise' ? otherwise(text) : text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const side: ChatSide = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    target: '',
    answer: 'well',
    calls: () => calls,
    waiting: () => waiting.size,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return side;
}

function otherwise(text: string): string {
  const completion = JSON.parse(text) as { choices: { message: { content: string } }[] };
  for (const { message } of completion.choices) message.content = `${message.content} And more than that.`;
  return JSON.stringify(completion);
}
