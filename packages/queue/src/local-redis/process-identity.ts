/**
 * Tells a process from a later one that was given the same id: a pid alone, read from a file after a crash or a
 * reboot, may by then name anybody.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** `ps` answers in milliseconds; a machine so busy that it does not is not worth waiting for longer. */
const PS_TIMEOUT_MS = 2000;
/** The fields of /proc/<pid>/stat that follow the name: the state is the first, the start time the twentieth. */
const STAT_STATE = 0;
const STAT_START_TIME = 19;

/** What stays the same while the process with this id lives and differs for every other one; null: there is none. */
export function processIdentity(pid: number): string | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may hold spaces and parentheses of its own.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not asked yet.
    if (fields[STAT_STATE] === 'Z' || fields[STAT_STATE] === 'X') return null;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${fields[STAT_START_TIME]}`;
  } catch {
    // No such file: no such process.
    return null;
  }
}

function fromPs(pid: number): string | null {
  try {
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      timeout: PS_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    });
    return started.trim() || null;
  } catch {
    // `ps` exits with 1 where there is no such process.
    return null;
  }
}
