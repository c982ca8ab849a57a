/** What lives upstream is reached through us: the paths the configuration names, authenticated here, bounded, streamed. */
import { InvalidRequestError, type PassThroughConfig, ShedError, TooLargeError } from '@millrace/core';
import type { Store } from '@millrace/queue';
import { openPassThrough, type PassThrough } from '@millrace/upstream/pass-through';
import type { Request, Response } from 'express';

export interface PassingOn {
  /** Below these paths requests are passed on. */
  paths: readonly string[];
  /** @param body in place of the request's own; with its headers */
  pass(request: Request, response: Response, body?: Replaced): Promise<void>;
  close(): Promise<void>;
}

export interface Replaced {
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
}

const BUSY_SECONDS = 1;

/** @param upstreams opened when they are first needed */
export function openPassingOn(store: Store, settings: PassThroughConfig): PassingOn {
  const upstreams = new Map<string, PassThrough>();
  let inFlight = 0;
  const of = (request: Request): PassThrough => {
    const name = upstreamOf(store, request.get('millrace-queue'));
    const config = store.config.upstreams[name];
    if (config === undefined) throw new Error(`there is no upstream '${name}'`);
    const opened = upstreams.get(name) ?? openPassThrough(config, settings.timeoutSeconds * 1000);
    upstreams.set(name, opened);
    return opened;
  };
  return {
    paths: settings.paths,
    pass: async (request, response, replaced) => {
      const upstream = of(request);
      const path = checkedPath(request);
      if (Number(request.get('content-length') ?? 0) > settings.maxBytes) throw tooLarge(settings);
      if (inFlight >= settings.inFlight) {
        throw new ShedError(
          503,
          `${inFlight} requests are passed on to the upstream already (passThrough.inFlight).`,
          'pass_through_busy',
          BUSY_SECONDS,
        );
      }
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      inFlight++;
      const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
      const { 'content-length': _, ...rest } = request.headers;
      try {
        await upstream.forward(
          {
            ...{ method: request.method, path, signal: gone.signal },
            headers: replaced === undefined ? (hasBody ? request.headers : rest) : { ...rest, ...replaced.headers },
            body: replaced?.body ?? (hasBody ? bounded(request, settings) : null),
          },
          response,
        );
      } catch (error) {
        if (gone.signal.aborted || response.headersSent) response.destroy();
        else throw error instanceof InvalidRequestError ? error : upstreamAway(error);
      } finally {
        inFlight--;
      }
    },
    close: async () => {
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
    },
  };
}

/** The upstream of the queue that is named; else of `generate`, or the first. */
export function upstreamOf({ config }: Store, queue: string | undefined): string {
  const { queues } = config;
  if (queue !== undefined && !Object.hasOwn(queues, queue)) {
    throw new InvalidRequestError(`There is no queue '${queue.slice(0, 80)}'.`, 'Millrace-Queue', 'queue_not_found');
  }
  const settings = queues[queue ?? 'generate'] ?? Object.values(queues)[0];
  return settings?.upstream ?? '';
}

/** Below `/v1`, without a step out of it, in any spelling. */
function checkedPath(request: Request): string {
  const url = request.originalUrl;
  const [path = ''] = url.split('?');
  if (!/^\/v1(\/[A-Za-z0-9_.~:@!$&'()*+,;=-]+)+\/?$/.test(path) || path.split('/').includes('..')) {
    throw new InvalidRequestError('The path is not one that is passed on.', null, 'bad_path');
  }
  return url.slice('/v1'.length);
}

async function* bounded(request: Request, settings: PassThroughConfig): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  // Left open when it is refused: its sender is still to read why.
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    bytes += (piece as Buffer).length;
    if (bytes > settings.maxBytes) throw tooLarge(settings);
    yield piece as Buffer;
  }
}

function tooLarge({ maxBytes }: PassThroughConfig): TooLargeError {
  return new TooLargeError(`The body is larger than ${maxBytes} bytes (passThrough.maxBytes).`);
}

function upstreamAway(error: unknown): ShedError {
  const { code = '', name = '' } = error as { code?: string; name?: string };
  const late = /TIMEOUT/i.test(code) || name === 'TimeoutError';
  return new ShedError(
    503,
    late ? 'The upstream did not answer in time.' : 'The upstream cannot be reached.',
    late ? 'upstream_timeout' : 'upstream_unreachable',
    BUSY_SECONDS,
  );
}
