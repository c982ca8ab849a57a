/** A Redis that can be started here: where it comes from and the command line that serves a folder on a port. */
import { realpathSync } from 'node:fs';
import type { Settings } from './settings.ts';

export type RedisSource = 'redis-server on PATH' | 'valkey-server on PATH' | 'Debian package' | 'docker';

export interface CommandLine {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export interface RedisServer {
  source: RedisSource;
  commandLine(dataDir: string, port: number, settings: Settings): CommandLine;
  /** What `CONFIG GET dir` says when it is this server that serves `dataDir`. */
  reportedDir(dataDir: string): string;
  /** Whether the process we start is the server itself, so that its id is the one INFO reports. */
  ownProcess: boolean;
  /** Ends what the start-up process alone does not take with it when it is killed. */
  killRemains(dataDir: string): Promise<void>;
}

/** The settings as arguments: every one a `--name value` pair, which Redis reads like a line of its file. */
export function asArguments(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** A server that runs as a process of this machine. `env` is added to the environment it runs in. */
export function nativeServer(
  file: string,
  version: string,
  source: RedisSource,
  env: Record<string, string> = {},
): RedisServer & { version: string } {
  return {
    version,
    source,
    ownProcess: true,
    commandLine: (dataDir, port, settings) => ({
      command: file,
      args: asArguments({ bind: '127.0.0.1', 'protected-mode': 'yes', ...settings, dir: dataDir, port: String(port) }),
      env,
    }),
    reportedDir: (dataDir) => realpathSync(dataDir),
    killRemains: async () => {},
  };
}
