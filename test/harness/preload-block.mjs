/** Preloaded into a role under test: SIGUSR2 blocks its event loop for BLOCK_MS; a line on stdout says that it is over. */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const still = new Int32Array(new SharedArrayBuffer(4));
  process.on('SIGUSR2', () => {
    Atomics.wait(still, 0, 0, Number(process.env.BLOCK_MS));
    process.stdout.write('the event loop was blocked\n');
  });
}
