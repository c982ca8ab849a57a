/**
 * Logging that cannot leak: a record holds allow-listed fields only, so a prompt, a document or a key that somebody
 * passes along is dropped, not redacted. Errors are logged by name, code and stack frames; their message only where it
 * is ours or the system's, because an upstream's message may quote the prompt or the key.
 */
import { pino } from 'pino';
import { ConfigError, ShedError, StartError } from './errors.ts';

export type Log = pino.Logger;

const ALLOWED = new Set([
  ...[
    'role',
    'worker',
    'job_id',
    'queue',
    'attempt',
    'type',
    'status',
    'outcome',
    'reason',
    'code',
    'model',
    'limit',
    'state',
  ],
  ...[
    'upstream',
    'upstream_id',
    'upstream_status',
    'input_tokens',
    'output_tokens',
    'ms',
    'after_ms',
    'count',
    'bytes',
  ],
  ...[
    'method',
    'route',
    'http_status',
    'host',
    'port',
    'url',
    'signal',
    'version',
    'durability',
    'setting',
    'err',
    'key_name',
    'api',
    'from',
    'to',
    'keys',
  ],
  // Of what was done by hand: the key's name, never the key.
  ...['who', 'what', 'target', 'address'],
]);

const SAFE_NAMES = new Set(['ReplyError', 'MaxRetriesPerRequestError', 'TypeError', 'RangeError']);
const SAFE_MESSAGES = ['Connection is closed', 'Missing lock for job', 'Missing key for job', 'could not renew lock'];

/** A JSON logger on standard output whose every record names its role. */
export function createLog(role: string, level: string): Log {
  return pino({
    level,
    base: { role },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: allowedOnly,
    },
    serializers: { err: describeError },
  });
}

/** The allow-listed fields of a record, one level deep: an object in an allowed field is dropped, but for `err`. */
export function allowedOnly(record: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(record)) {
    const value = record[key];
    if (!ALLOWED.has(key)) continue;
    if (key === 'err' || value === null || typeof value !== 'object') kept[key] = value;
  }
  return kept;
}

/** What may be said of an error in a log line. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, status, syscall } = error as { code?: unknown; status?: unknown; syscall?: unknown };
  const frames = error.stack
    ?.split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 12)
    .join('\n');
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(hasSafeMessage(error) || typeof syscall === 'string' ? { message: error.message } : {}),
    ...(frames ? { stack: frames } : {}),
  };
}

/** Kinds of errors whose messages are written by us, by Redis, by BullMQ or by the runtime, never by a producer. */
function hasSafeMessage(error: Error): boolean {
  return (
    error instanceof ConfigError ||
    error instanceof ShedError ||
    error instanceof StartError ||
    SAFE_NAMES.has(error.name) ||
    SAFE_MESSAGES.some((start) => error.message.startsWith(start))
  );
}
