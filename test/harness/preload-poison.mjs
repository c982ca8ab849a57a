/** Preloaded into a role under test: its process dies, as of itself, while it makes a call whose request says POISON. */
import { subscribe } from 'node:diagnostics_channel';

/** Until the call is under way for sure. */
const DIE_AFTER_MS = 200;
const poisonous = new WeakSet();

subscribe('undici:request:create', ({ request }) => {
  if (String(request.body ?? '').includes('POISON')) poisonous.add(request);
});
subscribe('undici:request:bodySent', ({ request }) => {
  if (poisonous.has(request)) setTimeout(() => process.kill(process.pid, 'SIGKILL'), DIE_AFTER_MS);
});
