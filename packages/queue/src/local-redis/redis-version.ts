/** What a server's version says, and the least that Millrace takes. */

/** `hash-max-listpack-value` and the multi-part append-only file, both of which we count on, came with 7.0. */
export const LEAST_REDIS_VERSION = '7.0.0';

/** The version in what `redis-server --version` or `valkey-server --version` prints; null where there is none. */
export function versionIn(output: string): string | null {
  return /\bv=(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? null;
}

/** Whether `version` (x.y.z, a Debian epoch and revision allowed around it) is new enough. */
export function isNewEnough(version: string): boolean {
  const least = LEAST_REDIS_VERSION.split('.').map(Number);
  const parts = version
    .replace(/^\d+:/, '')
    .split(/[.\-+~]/)
    .map(Number);
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
