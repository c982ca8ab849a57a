/**
 * Loaded before a role's own code: when the `start` that owns the role dies, however it dies, the channel between
 * them closes, and the role stops as if it had been asked to.
 */

/** A role that drains has 30 s by default; one that still runs after this has nobody left who would end it. */
const END_WITHIN_MS = 60_000;

process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), END_WITHIN_MS).unref();
});
// The listener alone would keep a role alive that has nothing left to do.
process.channel?.unref();
