/** Which requests are equal: those whose answers could stand for each other. */
import { createHash } from 'node:crypto';
import { canonical } from './canonical.ts';
import type { Config } from './config.ts';
import { schemaOf } from './extract-request.ts';
import type { ExtractBody, NewJob, ResponsesBody } from './job.ts';

/** What says how a request is handled, kept or told, and nothing of its answer. */
const IRRELEVANT: ReadonlySet<string> = new Set([
  ...(['background', 'metadata', 'prompt_cache_key', 'prompt_cache_retention', 'safety_identifier'] as const),
  ...(['service_tier', 'store', 'stream', 'stream_options', 'user'] as const),
]);

/**
 * The key under which a job may share a call with its equals; null where it may not: its queue has no cache, it opted
 * out, is not to be stored, is made again on purpose, or does something beside answering (a conversation grows, tools of
 * ours or of a remote server run).
 */
export function cacheKeyOf(config: Config, job: NewJob): string | null {
  if (config.queues[job.queue]?.cache === undefined || job.cache === false || job.forget || job.retryOf !== null) {
    return null;
  }
  const body = job.body as ResponsesBody;
  if (body.conversation != null || body.store === false || runsTools(config, body)) return null;
  const matters = Object.entries(body).filter(([field, value]) => value != null && !IRRELEVANT.has(field));
  const schema = job.type === 'extract' ? schemaOf(job.body as ExtractBody, config.schemas) : null;
  const what = [job.type, job.model, schema ?? null, Object.fromEntries(matters)];
  return createHash('sha256').update(canonical(what)).digest('base64url');
}

function runsTools({ tools }: Config, body: ResponsesBody): boolean {
  if (!Array.isArray(body.tools)) return false;
  return body.tools.some((given) => given?.type === 'mcp' || Object.hasOwn(tools, String(given?.name)));
}
