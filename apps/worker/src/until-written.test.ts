import { expect, it } from 'vitest';
import { silentLog } from '../../../packages/queue/src/testing/store.ts';
import { untilWritten } from './until-written.ts';

const refusal = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

it.each([
  "OOM command not allowed when used memory > 'maxmemory'. script: d96ca626, on @user_script:217.",
  'MISCONF Errors writing to the AOF file: No space left on device',
  'LOADING Redis is loading the dataset in memory',
  "READONLY You can't write against a read only replica.",
])('what Redis refuses for the moment is written when it takes it: %s', async (message) => {
  let tries = 0;
  const written = await untilWritten(silentLog, async () => {
    if (++tries < 3) throw refusal(message);
    return 'taken';
  });
  expect([written, tries]).toEqual(['taken', 3]);
});

it.each(['WRONGTYPE Operation against a key', 'Connection is closed.', 'Missing lock for job 7. moveToDelayed'])(
  'what would be refused for ever is thrown at once: %s',
  async (message) => {
    let tries = 0;
    const write = untilWritten(silentLog, async () => {
      tries++;
      throw refusal(message);
    });
    await expect(write).rejects.toThrow(message);
    expect(tries).toBe(1);
  },
);
