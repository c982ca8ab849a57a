/** A RESP server for tests of what the Redis at hand cannot be: another version, or one whose disk is slow. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface ScriptedRedis {
  url: string;
  /** Every command so far: its words, the first one in lower case. */
  commands: string[][];
  close(): Promise<void>;
}

/** What a command is answered: RESP as it is on the wire, or null: its connection is blocked until `reply` is called. */
export type Answers = (command: readonly string[], reply: (resp: string) => void) => string | null;

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
export const list = (...items: string[]): string => `*${items.length}\r\n${items.map(bulk).join('')}`;

export async function scriptedRedis(answers: Answers): Promise<ScriptedRedis> {
  const commands: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that hangs up is how these tests end.
    socket.on('error', () => undefined);
    let held = '';
    let blocked = false;
    const serve = (): void => {
      for (let parsed = readCommand(held); parsed !== null && !blocked; parsed = readCommand(held)) {
        held = parsed.rest;
        commands.push(parsed.words);
        const answer = answers(parsed.words, (resp) => {
          socket.write(resp);
          blocked = false;
          serve();
        });
        if (answer === null) blocked = true;
        else socket.write(answer);
      }
    };
    socket.on('data', (data) => {
      held += data.toString();
      serve();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    commands,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The first whole command of the text, as clients send them: an array of bulk strings (ASCII ones, here). */
function readCommand(text: string): { words: string[]; rest: string } | null {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  let at = head[0].length;
  const words: string[] = [];
  for (let left = Number(head[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (size === null) return null;
    at += size[0].length;
    const end = at + Number(size[1]);
    if (text.length < end + 2) return null;
    words.push(text.slice(at, end));
    at = end + 2;
  }
  if (words[0] !== undefined) words[0] = words[0].toLowerCase();
  return { words, rest: text.slice(at) };
}
