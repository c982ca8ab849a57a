/**
 * The simulator as a process: `MILLRACE_HOST`, `MILLRACE_SIMULATOR_PORT` and, as JSON, the other options in
 * `MILLRACE_SIMULATOR`. One line on stdout once it listens; SIGTERM and SIGINT close it.
 */
import { isObject } from './json.ts';
import { readOptions } from './options.ts';
import { startSimulator } from './start.ts';

const DEFAULT_PORT = 7072;

/** An empty variable counts as unset. */
function environment(name: string): string | undefined {
  return process.env[name]?.trim() || undefined;
}

function fail(message: string): never {
  process.stderr.write(`simulator: ${message}\n`);
  process.exit(1);
}

function readEnvironment() {
  const text = environment('MILLRACE_SIMULATOR') ?? '{}';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    fail(`MILLRACE_SIMULATOR is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(json)) fail('MILLRACE_SIMULATOR must be a JSON object.');
  const port = environment('MILLRACE_SIMULATOR_PORT');
  const host = environment('MILLRACE_HOST');
  if (port !== undefined && !/^\d{1,5}$/.test(port)) fail(`MILLRACE_SIMULATOR_PORT is no port: ${port}`);
  try {
    return readOptions({
      port: DEFAULT_PORT,
      ...json,
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port: Number(port) }),
    });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const options = readEnvironment();
try {
  const simulator = await startSimulator(options);
  process.stdout.write(`simulator listening on ${simulator.url}\n`);
  let stopping = false;
  const stop = () => {
    // A second signal must not wait for the first.
    if (stopping) process.exit(1);
    stopping = true;
    void simulator.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EADDRINUSE') fail(error instanceof Error ? error.message : String(error));
  fail(`port ${options.port} is taken; set MILLRACE_SIMULATOR_PORT to a free one.`);
}
