/**
 * What streaming through us costs: streamed jobs per CPU-second of one worker (attempts recorded, events stored) against
 * a bare SDK loop that streams; how much later the first token comes than it would directly; a thousand readers; and 500
 * sockets that dribble their requests.
 */
import { firstToken } from './streaming/first-token.ts';
import { manyReaders } from './streaming/many-readers.ts';
import { slowSockets } from './streaming/slow-sockets.ts';
import { streamedCost } from './streaming/streamed-cost.ts';

export async function streaming(): Promise<void> {
  await streamedCost();
  await firstToken();
  await manyReaders();
  await slowSockets();
}
