/**
 * Ends a process whose owner has died, however the owner died: a shell reads from a pipe that only the owner holds,
 * and when the pipe ends, it waits for the grace and then sends SIGTERM.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * The owner's other processes may be draining: a worker has 30 s by default to see calls through that are paid for,
 * and needs the server to store their answers. Whoever starts the server anew does not wait for this.
 */
export const ORPHAN_GRACE_SECONDS = 45;

/** Looks every second whether the process is there still: once it has ended, its id may be given to another. */
const SCRIPT = `
read -r _
left="$2"
while [ "$left" -gt 0 ]; do
  kill -0 "$1" 2>/dev/null || exit 0
  sleep 1
  left=$((left - 1))
done
kill -TERM "$1"`;

/** Guards process `pid` until the guard is killed, which must happen when that process has ended. */
export function guardOrphan(pid: number, graceSeconds = ORPHAN_GRACE_SECONDS): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'millrace-guard', String(pid), String(graceSeconds)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // A machine without /bin/sh goes without: the next start ends what was left, by its record.
  guard.on('error', () => {});
  guard.stdin?.on('error', () => {});
  return guard;
}
