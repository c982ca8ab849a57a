/** Tools that tests register with workers. Each run is noted, with its idempotency key, in the file TOOLS_NOTED names. */
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type ToolCall, tool } from '@millrace/core';
import { z } from 'zod';

function note(name: string, { idempotencyKey }: ToolCall): void {
  appendFileSync(process.env.TOOLS_NOTED ?? '/dev/null', `${name} ${idempotencyKey}\n`);
}

const parameters = z.object({ city: z.string() });

export default {
  get_weather: tool({
    description: 'The weather in a city',
    parameters,
    run: ({ city }, call) => {
      note('get_weather', call);
      return { city, celsius: 21 };
    },
  }),
  slow_step: tool({
    parameters,
    run: async (_, call) => {
      note('slow_step', call);
      await pause(300, undefined, { signal: call.signal });
      return 'done';
    },
  }),
  throws: tool({
    parameters,
    run: () => {
      throw new Error('the station is closed');
    },
  }),
  hangs: tool({ parameters, timeoutSeconds: 0.3, run: () => new Promise(() => undefined) }),
  huge: tool({ parameters, run: () => 'x'.repeat(10 * 1024 ** 2) }),
  waits: tool({
    parameters,
    run: (_, call) => {
      note('waits', call);
      return new Promise(() => undefined);
    },
  }),
  kills: tool({
    parameters,
    run: (_, call) => {
      note('kills', call);
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    },
  }),
  no_json: tool({ parameters, run: () => 1n }),
};
