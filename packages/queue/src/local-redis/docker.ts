/**
 * Redis in a container, where a docker runs. The docker client stays attached, so that it is the process to signal: a
 * SIGTERM to it reaches the server, and when the server ends, so does it.
 */
import { createHash } from 'node:crypto';
import { findOnPath } from './find-on-path.ts';
import { asArguments, type RedisServer } from './redis-server.ts';
import { CommandError, runCommand } from './run-command.ts';

const IMAGE = 'redis:8';
const PORT_INSIDE = '6379';
const FOLDER_INSIDE = '/data';
/** Asks the daemon; one that is there answers at once. */
const ASK_TIMEOUT_MS = 15_000;
/** Some 50 MB over a slow line. */
const PULL_TIMEOUT_MS = 600_000;

/**
 * A Redis container for `dataDir`; or why there is none.
 * @throws the reason of `signal` when that ended it.
 */
export async function dockerServer(
  dataDir: string,
  { tell, signal }: { tell: (line: string) => void; signal: AbortSignal | undefined },
): Promise<RedisServer | { none: string }> {
  if (findOnPath('docker').length === 0) return { none: 'no docker on PATH' };
  const docker = (args: string[], timeoutMs: number) => runCommand('docker', args, { timeoutMs, signal });
  try {
    await docker(['info', '--format', '{{.ServerVersion}}'], ASK_TIMEOUT_MS);
    const image = await docker(['image', 'ls', '--quiet', IMAGE], ASK_TIMEOUT_MS);
    if (image.trim() === '') {
      tell(`Redis not found on PATH; pulling the docker image ${IMAGE} …`);
      await docker(['pull', '--quiet', IMAGE], PULL_TIMEOUT_MS);
    }
    // What a start-up process that was killed has left behind serves this folder still.
    await removeContainer(dataDir);
  } catch (error) {
    if (error instanceof CommandError) return { none: error.message };
    throw error;
  }
  return {
    source: 'docker',
    ownProcess: false,
    commandLine: (folder, port, settings) => ({
      command: 'docker',
      args: [
        ...['run', '--rm', '--name', containerName(folder), '--publish', `127.0.0.1:${port}:${PORT_INSIDE}`],
        ...['--volume', `${folder}:${FOLDER_INSIDE}`, ...asThisUser(), IMAGE, 'redis-server'],
        // Only the published port, on loopback, leads into the container.
        ...asArguments({ ...settings, 'protected-mode': 'no', dir: FOLDER_INSIDE, port: PORT_INSIDE }),
      ],
      env: {},
    }),
    reportedDir: () => FOLDER_INSIDE,
    killRemains: removeContainer,
  };
}

/** Its files stay the user's own. */
function asThisUser(): string[] {
  return process.getuid && process.getgid ? ['--user', `${process.getuid()}:${process.getgid()}`] : [];
}

function containerName(dataDir: string): string {
  return `millrace-redis-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`;
}

async function removeContainer(dataDir: string): Promise<void> {
  try {
    await runCommand('docker', ['rm', '--force', containerName(dataDir)], { timeoutMs: ASK_TIMEOUT_MS });
  } catch (error) {
    // Before 20.10 `--force` still failed where there was nothing to remove.
    if (!(error instanceof CommandError && /no such container/i.test(error.message))) throw error;
  }
}
