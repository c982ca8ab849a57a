/**
 * Debian's and Ubuntu's own Redis, downloaded by apt and unpacked into a folder: no root, nothing installed. What is
 * unpacked once is used at every later start; two processes that unpack at once never see each other's half.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { findOnPath, versionOf } from './find-on-path.ts';
import { nativeServer, type RedisServer } from './redis-server.ts';
import { isNewEnough, LEAST_REDIS_VERSION } from './redis-version.ts';
import { CommandError, runCommand } from './run-command.ts';

/** Reads lists that are there already. */
const POLICY_TIMEOUT_MS = 30_000;
/** Lists of some 10 MB over a slow line. */
const UPDATE_TIMEOUT_MS = 300_000;
/** Packages of some 1.5 MB over a slow line. */
const DOWNLOAD_TIMEOUT_MS = 180_000;
const UNPACK_TIMEOUT_MS = 60_000;
/** A folder of an unpacking that was killed; one at work is never this old. */
const ABANDONED_MS = 3_600_000;
const DRAFT_PREFIX = 'unpacking-';
const PROGRAMS = ['redis-server', 'valkey-server'] as const;

interface Unpacking {
  tell: (line: string) => void;
  signal: AbortSignal | undefined;
}

/**
 * The distribution's Redis from `cacheDir`, fetched into it where it is not there yet; or why there is none.
 * @throws the reason of `signal` when that ended it.
 */
export async function debianPackageServer(
  cacheDir: string,
  { tell, signal }: Unpacking,
): Promise<RedisServer | { none: string }> {
  const home = join(resolve(cacheDir), distribution());
  const kept = await serverIn(home, signal);
  if (kept !== null) return kept;
  if (findOnPath('apt-get').length === 0 || findOnPath('dpkg').length === 0) {
    return { none: 'no apt-get and dpkg to fetch a Debian package with' };
  }
  await mkdir(cacheDir, { recursive: true });
  await removeAbandoned(cacheDir);
  const draft = join(resolve(cacheDir), `${DRAFT_PREFIX}${randomUUID()}`);
  try {
    const name = await download(draft, { tell, signal });
    if (typeof name !== 'string') return name;
    await unpack(join(draft, 'archives'), join(draft, 'root'), signal);
    if ((await serverIn(join(draft, 'root'), signal)) === null) {
      return { none: `the package ${name} was unpacked, and does not run: ${await missingLibraries(draft, signal)}` };
    }
    await putInPlace(join(draft, 'root'), home);
    return (await serverIn(home, signal)) ?? { none: `${home} does not hold a Redis that runs` };
  } catch (error) {
    if (error instanceof CommandError) return { none: error.message };
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** One folder a distribution, release and processor: a data folder may be carried to another machine. */
function distribution(): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (name: string) => new RegExp(`^${name}="?([\\w.-]+)"?$`, 'm').exec(release)?.[1] ?? 'unknown';
  return `${field('ID')}-${field('VERSION_ID')}-${process.arch}`;
}

/** The server unpacked in `root`, when it runs here and is new enough. */
async function serverIn(root: string, signal: AbortSignal | undefined): Promise<RedisServer | null> {
  const file = PROGRAMS.map((name) => join(root, 'usr/bin', name)).find((candidate) => existsSync(candidate));
  if (file === undefined) return null;
  const env = { LD_LIBRARY_PATH: libraryFolders(root).join(':') };
  const version = await versionOf(file, env, signal);
  return version !== null && isNewEnough(version) ? nativeServer(file, version, 'Debian package', env) : null;
}

function libraryFolders(root: string): string[] {
  const parents = ['usr/lib', 'lib'].map((folder) => join(root, folder)).filter((folder) => existsSync(folder));
  const below = parents.flatMap((parent) =>
    readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.includes('-linux-'))
      .map((entry) => join(parent, entry.name)),
  );
  return [...below, ...parents];
}

/**
 * Puts the package and what it needs and this machine lacks into `draft`/archives: with the system's package lists,
 * and where those are missing or out of date with lists of our own, which needs no root. Returns the package's name.
 */
async function download(draft: string, { tell, signal }: Unpacking): Promise<string | { none: string }> {
  await mkdir(join(draft, 'archives/partial'), { recursive: true });
  await mkdir(join(draft, 'state/lists/partial'), { recursive: true });
  const cache = [`Dir::Cache=${draft}`, `Dir::Cache::archives=${draft}/archives`];
  const own = [...cache, `Dir::State=${draft}/state`, `Dir::State::lists=${draft}/state/lists`];

  let passedOver = 'the package lists hold no Redis';
  const name = await candidate(asOptions(cache), signal);
  if (typeof name === 'string') {
    tell(`Redis not found on PATH; unpacking the distribution's ${name} under ${dirname(draft)} …`);
    try {
      await fetchPackage(name, asOptions(cache), signal);
      return name;
    } catch (error) {
      // Lists that are out of date name files that are gone; those of our own, below, do not.
      if (!(error instanceof CommandError)) throw error;
      passedOver = error.message;
    }
  } else if (name.none !== null) return { none: name.none };

  tell(`Redis not found on PATH; asking the distribution's package index for one …`);
  try {
    await apt(['update', ...asOptions(own)], UPDATE_TIMEOUT_MS, signal);
  } catch (error) {
    // One unreachable source of many, or a hook that wants root, fails `update` although our package is listed.
    if (!(error instanceof CommandError)) throw error;
    passedOver = error.message;
  }
  const fresh = await candidate(asOptions(own), signal);
  if (typeof fresh !== 'string') return { none: fresh.none ?? passedOver };
  await fetchPackage(fresh, asOptions(own), signal);
  return fresh;
}

/** The package to take; else why none will do (null: the lists hold none). */
async function candidate(
  options: string[],
  signal: AbortSignal | undefined,
): Promise<string | { none: string | null }> {
  let none: string | null = null;
  for (const name of PROGRAMS) {
    const policy = await runCommand('apt-cache', ['policy', name, ...options], {
      timeoutMs: POLICY_TIMEOUT_MS,
      signal,
    });
    const version = /^ {2}Candidate: (\S+)$/m.exec(policy)?.[1];
    if (version === undefined || version === '(none)') continue;
    if (isNewEnough(version)) return name;
    none ??= `the distribution's ${name} is ${version}, older than ${LEAST_REDIS_VERSION}`;
  }
  return { none };
}

/** `install --download-only` lets apt itself work out which libraries are needed and not installed. */
async function fetchPackage(name: string, options: string[], signal: AbortSignal | undefined): Promise<void> {
  const args = ['install', '--download-only', '--yes', '--no-install-recommends', ...options, name];
  await apt(args, DOWNLOAD_TIMEOUT_MS, signal);
}

async function apt(args: string[], timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  await runCommand('apt-get', args, { timeoutMs, signal, env: { DEBIAN_FRONTEND: 'noninteractive' } });
}

function asOptions(settings: string[]): string[] {
  // Locks protect the system's state, which is not touched; apt's sandbox user may not write in our folder.
  return [...settings, 'Debug::NoLocking=1', 'APT::Sandbox::User=root'].flatMap((setting) => ['-o', setting]);
}

async function unpack(archives: string, root: string, signal: AbortSignal | undefined): Promise<void> {
  for (const file of await readdir(archives)) {
    // The C library must stay the one that this machine's loader belongs to.
    if (!file.endsWith('.deb') || file.startsWith('libc6_')) continue;
    await runCommand('dpkg', ['-x', join(archives, file), root], { timeoutMs: UNPACK_TIMEOUT_MS, signal });
  }
}

async function missingLibraries(draft: string, signal: AbortSignal | undefined): Promise<string> {
  const root = join(draft, 'root');
  const file = PROGRAMS.map((name) => join(root, 'usr/bin', name)).find((path) => existsSync(path));
  if (file === undefined) return 'it holds no server';
  const env = { LD_LIBRARY_PATH: libraryFolders(root).join(':') };
  const libraries = await runCommand('ldd', [file], { timeoutMs: UNPACK_TIMEOUT_MS, env, signal });
  const missing = libraries.split('\n').filter((line) => line.includes('not found'));
  return missing.map((line) => line.trim()).join(', ') || 'it is too old, or does not say its version';
}

/** Another process may have put its own there in the meantime: that one is as good. A broken one gives way. */
async function putInPlace(root: string, home: string): Promise<void> {
  for (let tries = 0; tries < 2; tries++) {
    try {
      await rename(root, home);
      return;
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && ['ENOTEMPTY', 'EEXIST'].includes(String(error.code));
      if (!taken) throw error;
      if ((await serverIn(home, undefined)) !== null) return;
      await rename(home, `${root}.broken`);
    }
  }
}

async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(DRAFT_PREFIX)) continue;
    const folder = join(cacheDir, name);
    const age = Date.now() - (await stat(folder).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > ABANDONED_MS) await rm(folder, { recursive: true, force: true });
  }
}
