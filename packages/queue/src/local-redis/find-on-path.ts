/** Finds a program on PATH, and there a Redis that is new enough. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { nativeServer, type RedisServer } from './redis-server.ts';
import { isNewEnough, LEAST_REDIS_VERSION, versionIn } from './redis-version.ts';
import { CommandError, runCommand } from './run-command.ts';

/** `--version` prints a line and ends. */
const VERSION_TIMEOUT_MS = 5000;

/** Every executable of this name on PATH, in its order. */
export function findOnPath(name: string): string[] {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .filter(isExecutable);
}

/** The first redis-server on PATH that is new enough, else the first such valkey-server; or why there is none. */
export async function findServerOnPath(signal?: AbortSignal): Promise<RedisServer | { none: string }> {
  const passedOver: string[] = [];
  for (const name of ['redis-server', 'valkey-server'] as const) {
    for (const file of findOnPath(name)) {
      const version = await versionOf(file, {}, signal);
      if (version === null) passedOver.push(`${file} does not say its version`);
      else if (isNewEnough(version)) return nativeServer(file, version, `${name} on PATH`);
      else passedOver.push(`${file} is ${version}, older than ${LEAST_REDIS_VERSION}`);
    }
  }
  return { none: passedOver.join('; ') || 'no redis-server or valkey-server on PATH' };
}

/** The version that the program prints; null where it does not run or prints none. */
export async function versionOf(
  file: string,
  env: Record<string, string>,
  signal?: AbortSignal,
): Promise<string | null> {
  try {
    return versionIn(await runCommand(file, ['--version'], { timeoutMs: VERSION_TIMEOUT_MS, env, signal }));
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Not there, or not ours to run: either way it is passed over.
    return false;
  }
}
