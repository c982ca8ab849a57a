import { expect, it } from 'vitest';
import { nowAndThen } from './now-and-then.ts';

const named = (name: string, message: string, code?: string): Error =>
  Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) });

it('the same trouble is told once, whichever job it names; another one is told too', () => {
  const told: string[] = [];
  const tell = nowAndThen((error) => told.push(error.message));
  for (let n = 0; n < 1000; n++) {
    tell(named('Error', `could not renew lock for job resp_${n.toString(16).padStart(48, '0')}`));
    tell(named('Error', `connect ECONNREFUSED try ${n}`, 'ECONNREFUSED'));
    tell(named('ReplyError', 'MISCONF no space left'));
  }
  expect(told).toHaveLength(3);
});

it('what is remembered is bounded', () => {
  let told = 0;
  const tell = nowAndThen(() => told++);
  for (let n = 0; n < 1000; n++) tell(named('Error', `kind ${n}`));
  expect(told).toBe(1000);
});
