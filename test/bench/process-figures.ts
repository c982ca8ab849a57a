/** What a process has used so far, as Linux counts it. */
import { readFileSync } from 'node:fs';

/** Linux's USER_HZ, on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1024;

/** User and system time, all threads, in seconds: fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms. */
export function cpuSeconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The most memory that was ever resident, in MiB. */
export function peakMiB(pid: number | undefined): number {
  return statusMiB(pid, 'VmHWM');
}

/** The memory that is resident now, in MiB. */
export function residentMiB(pid: number | undefined): number {
  return statusMiB(pid, 'VmRSS');
}

function statusMiB(pid: number | undefined, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / KIB_PER_MIB;
}
