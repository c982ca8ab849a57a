import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findOnPath } from './find-on-path.ts';
import { type LocalRedis, type LocalRedisOptions, startLocalRedis } from './index.ts';
import { processIdentity } from './process-identity.ts';
import { isNewEnough, versionIn } from './redis-version.ts';

/** A first run fetches package lists and packages. */
const FETCH_TIMEOUT_MS = 120_000;

const base = mkdtempSync(join(tmpdir(), 'millrace-local-redis-'));
const hostPath = process.env.PATH ?? '';
const hasApt = findOnPath('apt-get').length > 0 && findOnPath('dpkg').length > 0;
/** Every program of this machine but a Redis and a docker. */
const bareTools = join(base, 'tools');
const emptyPath = join(base, 'empty');
/** One for the file: what the first test fetches the others find. */
const cacheDir = join(base, 'redis-package');

const running: LocalRedis[] = [];
let folders = 0;
const newFolder = (name: string) => join(base, `${name}-${++folders}`);

async function start(options: Partial<LocalRedisOptions> = {}): Promise<LocalRedis> {
  const redis = await startLocalRedis({ dataDir: newFolder('redis'), cacheDir, ...options });
  running.push(redis);
  return redis;
}

async function ask<T>(redis: LocalRedis, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url, { retryStrategy: () => null, lazyConnect: true });
  try {
    await client.connect();
    return await question(client);
  } finally {
    client.disconnect();
  }
}

/** A folder holding one script of this name. */
function scriptOnPath(name: string, content: string): string {
  const folder = newFolder('bin');
  mkdirSync(folder);
  writeFileSync(join(folder, name), content);
  chmodSync(join(folder, name), 0o755);
  return folder;
}

beforeAll(() => {
  mkdirSync(bareTools);
  mkdirSync(emptyPath);
  const left = new Set(['redis-server', 'valkey-server', 'docker']);
  for (const folder of hostPath.split(delimiter).filter((entry) => existsSync(entry))) {
    for (const name of readdirSync(folder)) {
      if (left.has(name)) continue;
      left.add(name);
      symlinkSync(join(folder, name), join(bareTools, name));
    }
  }
});

afterEach(async () => {
  process.env.PATH = hostPath;
  delete process.env.APT_CONFIG;
  await Promise.all(running.splice(0).map((redis) => redis.stop()));
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

describe.skipIf(!hasApt)('on Debian without a Redis', () => {
  test(
    'the package is unpacked, served, and not fetched a second time',
    async () => {
      process.env.PATH = bareTools;
      const own = newFolder('redis-package');
      const told: string[] = [];
      const first = await start({ cacheDir: own, tell: (line) => told.push(line) });
      expect(first.source).toBe('Debian package');
      expect(isNewEnough(first.version)).toBe(true);
      expect(told.join('\n')).toContain('Redis not found on PATH');
      await first.stop();

      // Without a single program on PATH nothing can be downloaded or unpacked.
      process.env.PATH = emptyPath;
      told.length = 0;
      const second = await start({ cacheDir: own, tell: (line) => told.push(line) });
      expect(second.source).toBe('Debian package');
      expect(told).toEqual([]);
      expect(readdirSync(own)).toHaveLength(1);
    },
    FETCH_TIMEOUT_MS,
  );

  test(
    'package lists of our own are used where the system has none',
    async () => {
      process.env.PATH = bareTools;
      const config = newFolder('apt.conf');
      writeFileSync(config, `Dir::State::lists "${newFolder('no-lists')}/";\n`);
      process.env.APT_CONFIG = config;
      const redis = await start({ cacheDir: newFolder('redis-package') });
      expect(redis.source).toBe('Debian package');
    },
    FETCH_TIMEOUT_MS,
  );

  test(
    'two that unpack at once both get a whole package',
    async () => {
      process.env.PATH = bareTools;
      const own = newFolder('redis-package');
      const both = await Promise.all([start({ cacheDir: own }), start({ cacheDir: own })]);
      for (const redis of both) expect(await ask(redis, (client) => client.ping())).toBe('PONG');
      expect(readdirSync(own)).toHaveLength(1);
    },
    FETCH_TIMEOUT_MS,
  );

  test(
    'a package that is half there is unpacked anew',
    async () => {
      process.env.PATH = bareTools;
      const own = newFolder('redis-package');
      await (await start({ cacheDir: own })).stop();
      const [home] = readdirSync(own);
      rmSync(join(own, home!, 'usr/lib'), { recursive: true });
      rmSync(join(own, home!, 'lib'), { recursive: true, force: true });
      rmSync(join(own, home!, 'usr/bin'), { recursive: true });
      const redis = await start({ cacheDir: own });
      expect(await ask(redis, (client) => client.ping())).toBe('PONG');
      expect(readdirSync(own)).toEqual([home]);
    },
    FETCH_TIMEOUT_MS,
  );

  test(
    'a server on PATH that is too old is passed over',
    async () => {
      const old = scriptOnPath('redis-server', '#!/bin/sh\necho "Redis server v=6.0.16 sha=00000000:0 malloc=libc"\n');
      process.env.PATH = `${old}${delimiter}${bareTools}`;
      expect((await start()).source).toBe('Debian package');
    },
    FETCH_TIMEOUT_MS,
  );

  test(
    'a server on PATH that is new enough is taken, valkey too',
    async () => {
      await (await start()).stop();
      const unpacked = join(cacheDir, readdirSync(cacheDir)[0]!);
      const libraries = readdirSync(join(unpacked, 'usr/lib')).map((name) => join(unpacked, 'usr/lib', name));
      const run = `#!/bin/sh\nLD_LIBRARY_PATH=${libraries.join(':')} exec ${join(unpacked, 'usr/bin/redis-server')} "$@"\n`;
      process.env.PATH = `${scriptOnPath('valkey-server', run)}${delimiter}${emptyPath}`;
      const redis = await start({ cacheDir: newFolder('redis-package') });
      expect(redis.source).toBe('valkey-server on PATH');
    },
    FETCH_TIMEOUT_MS,
  );

  test(
    'docker is asked last, publishes on loopback only, and a container that does not serve the folder is removed',
    async () => {
      await (await start()).stop();
      const unpacked = join(cacheDir, readdirSync(cacheDir)[0]!);
      const libraries = readdirSync(join(unpacked, 'usr/lib')).map((name) => join(unpacked, 'usr/lib', name));
      const asked = newFolder('asked');
      // Stands in for the docker client: `run` serves the mounted folder on the published port.
      const bin = scriptOnPath(
        'docker',
        `#!/bin/sh
echo "$*" >> ${asked}
case "$1" in
  info) echo 27.0 ;;
  image) echo 1234567890ab ;;
  run)
    while [ "$1" != redis-server ]; do
      case "$1" in
        --publish) where="$2" ;;
        --volume) folder="\${2%:/data}" ;;
      esac
      shift
    done
    where="\${where#127.0.0.1:}"
    export LD_LIBRARY_PATH=${libraries.join(':')}
    exec ${join(unpacked, 'usr/bin/redis-server')} - <<END
port \${where%:6379}
bind 127.0.0.1
dir $folder
END
    ;;
esac
`,
      );
      process.env.PATH = `${bin}${delimiter}${emptyPath}`;
      const dataDir = newFolder('redis');
      const promise = startLocalRedis({ dataDir, cacheDir: newFolder('redis-package') });
      // The stand-in cannot serve a folder called /data, so it is refused for a stranger: what was asked is the point.
      await expect(promise).rejects.toThrow('did not come up');
      const lines = readFileSync(asked, 'utf8').split('\n');
      const run = lines.find((line) => line.startsWith('run'));
      expect(run).toMatch(/--publish 127\.0\.0\.1:\d+:6379 /);
      expect(run).toContain(`--volume ${dataDir}:/data`);
      expect(run).toContain('redis:8 redis-server --appendonly yes --appendfsync always');
      expect(lines.filter((line) => line.startsWith('rm --force millrace-redis-')).length).toBeGreaterThan(1);
    },
    FETCH_TIMEOUT_MS,
  );
});

describe('a local Redis', () => {
  test(
    'keeps what was acknowledged through a stop, and through a kill -9',
    async () => {
      const dataDir = newFolder('redis');
      const first = await start({ dataDir });
      await ask(first, (client) => client.set('stopped', 'yes'));
      await first.stop();
      await first.stop();

      const second = await start({ dataDir });
      expect(await ask(second, (client) => client.get('stopped'))).toBe('yes');
      await ask(second, (client) => client.set('killed', 'yes'));
      second.kill();

      const third = await start({ dataDir });
      expect(third.pid).not.toBe(second.pid);
      expect(await ask(third, (client) => client.mget('stopped', 'killed'))).toEqual(['yes', 'yes']);
    },
    FETCH_TIMEOUT_MS,
  );

  test('runs with the settings that keep jobs, on loopback, and takes others for a test', async () => {
    const redis = await start({ settings: { maxmemory: '64mb', appendfsync: 'everysec' } });
    const config = (name: string) => ask(redis, async (client) => (await client.config('GET', name)) as string[]);
    const expected = {
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '',
      'maxmemory-policy': 'noeviction',
      maxmemory: String(64 * 1024 * 1024),
      hz: '100',
      'hash-max-listpack-value': '2048',
      bind: '127.0.0.1',
      'protected-mode': 'yes',
    };
    for (const [name, value] of Object.entries(expected)) expect(await config(name)).toEqual([name, value]);
    await redis.stop();
    const usual = await start();
    expect(await ask(usual, (client) => client.config('GET', 'appendfsync'))).toEqual(['appendfsync', 'always']);
  });

  test('left by an owner that was killed is ended by the next start, which has its data', async () => {
    const dataDir = newFolder('redis');
    const module = pathToFileURL(join(import.meta.dirname, 'index.ts')).href;
    const owner = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { startLocalRedis } from ${JSON.stringify(module)};
         const redis = await startLocalRedis(${JSON.stringify({ dataDir, cacheDir })});
         console.log(JSON.stringify({ url: redis.url, pid: redis.pid }));`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
    const orphan = JSON.parse(line) as LocalRedis;
    await ask(orphan, (client) => client.set('left', 'behind'));
    const gone = once(owner, 'exit');
    owner.kill('SIGKILL');
    await gone;

    const next = await start({ dataDir });
    expect(processIdentity(orphan.pid)).toBe(null);
    expect(await ask(next, (client) => client.get('left'))).toBe('behind');
  }, 60_000);

  test('is never started twice on one folder', async () => {
    const dataDir = newFolder('redis');
    await start({ dataDir });
    await expect(start({ dataDir })).rejects.toThrow(`process ${process.pid} has started`);
  });

  test('says which port is taken, and gives the folder back', async () => {
    const dataDir = newFolder('redis');
    const other = await start();
    await expect(start({ dataDir, port: other.port })).rejects.toThrow(String(other.port));
    expect((await start({ dataDir })).port).not.toBe(other.port);
  });

  test('is not waited for once the wait is given up', async () => {
    const dataDir = newFolder('redis');
    const reason = new Error('enough');
    await expect(start({ dataDir, signal: AbortSignal.abort(reason) })).rejects.toThrow('enough');
    expect(existsSync(join(dataDir, 'start.lock'))).toBe(false);
  });

  test('tells when it is gone', async () => {
    const redis = await start();
    redis.kill();
    await redis.exited;
    expect(processIdentity(redis.pid)).toBe(null);
  });

  test('starts with its log cut when the log has grown too large', async () => {
    const dataDir = newFolder('redis');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'redis.log'), Buffer.alloc(10 * 1024 * 1024 + 1, 'x'));
    await start({ dataDir });
    expect(statSync(join(dataDir, 'redis.log')).size).toBeLessThan(1024 * 1024);
  });
});

test('where there is no Redis and no way to one, the message names every remedy', async () => {
  process.env.PATH = emptyPath;
  const dataDir = newFolder('redis');
  const error = await startLocalRedis({ dataDir, cacheDir: newFolder('redis-package') }).catch(
    (reason: Error) => reason,
  );
  const message = (error as Error).message;
  for (const remedy of [
    'brew install redis',
    'apt-get install redis-server',
    'dnf install redis',
    'apk add redis',
    'WSL',
  ]) {
    expect(message).toContain(remedy);
  }
  expect(message).toContain('REDIS_URL');
  expect(message).toContain('no redis-server or valkey-server on PATH');
  expect(message).toContain('no docker on PATH');
  expect(() => accessSync(join(dataDir, 'start.lock'))).toThrow();
});

test('versions are read from what servers print, and compared by number', () => {
  expect(versionIn('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64')).toBe('7.0.15');
  expect(versionIn('Valkey server v=8.1.1 sha=0 malloc=jemalloc-5.3.0')).toBe('8.1.1');
  expect(versionIn('command not found')).toBe(null);
  for (const version of ['7.0.0', '7.0.15', '10.0.0', '5:7.0.15-1~deb12u10', '8.0.2']) {
    expect(isNewEnough(version)).toBe(true);
  }
  for (const version of ['6.2.14', '5:6.0.16-1ubuntu1', '0.9.0', '']) expect(isNewEnough(version)).toBe(false);
});
