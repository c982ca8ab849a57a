/**
 * State that pages show, told as it changes: one stream of server-sent events a page, of the topics it asks for. A topic
 * is read once for all who watch it, and not at all while nobody does. The number of viewers and of topics is bounded,
 * and so is what waits for a viewer that does not read: it is dropped, and its browser connects again.
 */
import { InvalidRequestError, ShedError } from '@millrace/core';
import type { Request, Response } from 'express';
import { MAX_OPEN_TOPICS, MAX_TOPICS, MAX_VIEWER_BUFFER_BYTES, MAX_VIEWERS, QUIET_MS } from './bounds.ts';

/** Tells each new value, the first as soon as it is there, until the function that it returns is called. Never throws. */
export type Source = (tell: (value: object) => void) => () => void;

export interface Live {
  /** Serves one viewer until it leaves. */
  watch(request: Request, response: Response): Promise<void>;
  count(): number;
  /** Ends every stream. */
  close(): void;
}

/** How soon a browser connects again after its stream ended. */
const RECONNECT_MS = 1000;
const FULL_RETRY_SECONDS = 10;

interface Topic {
  viewers: Set<Response>;
  /** Its value's fields as JSON, as every viewer has them; null: nothing was told yet. */
  told: Map<string, string> | null;
  stop(): void;
}

/**
 * @param sourceOf what is told under a topic's name; null: there is no such topic
 * @param version of the pages; a browser that shows another one loads them again
 */
export function openLive(
  sourceOf: (topic: string) => Promise<Source | null>,
  version: string,
  {
    maxViewers = MAX_VIEWERS,
    maxTopics = MAX_OPEN_TOPICS,
    maxBufferBytes = MAX_VIEWER_BUFFER_BYTES,
    quietMs = QUIET_MS,
  } = {},
): Live {
  const topics = new Map<string, Topic>();
  const viewers = new Set<Response>();
  let closed = false;

  const send = (viewer: Response, text: string): void => {
    if (viewer.writableLength <= maxBufferBytes) viewer.write(text);
    else viewer.destroy();
  };

  // Neither a proxy nor this server's own bound on idle sockets takes a page that has nothing to tell for gone.
  const heartbeat = setInterval(() => {
    for (const viewer of viewers) send(viewer, ': still here\n\n');
  }, quietMs);
  heartbeat.unref();

  const tell = (name: string, topic: Topic, value: object): void => {
    const next = new Map(Object.entries(value).map(([field, part]) => [field, JSON.stringify(part) ?? 'null']));
    const before = topic.told;
    topic.told = next;
    const changed = [...next].filter(([field, text]) => before?.get(field) !== text);
    if (changed.length === 0) return;
    const message = eventOf(name, new Map(changed));
    for (const viewer of topic.viewers) send(viewer, message);
  };

  const join = (name: string, source: Source, viewer: Response): void => {
    let topic = topics.get(name);
    if (topic === undefined) {
      const opened: Topic = { viewers: new Set(), told: null, stop: () => undefined };
      topics.set(name, opened);
      opened.stop = source((value) => tell(name, opened, value));
      topic = opened;
    }
    topic.viewers.add(viewer);
    if (topic.told !== null) send(viewer, eventOf(name, topic.told));
  };

  const leave = (viewer: Response): void => {
    viewers.delete(viewer);
    for (const [name, topic] of topics) {
      if (!topic.viewers.delete(viewer) || topic.viewers.size > 0) continue;
      topic.stop();
      topics.delete(name);
    }
  };

  /** @throws ShedError */
  const checkRoom = (names: readonly string[]): void => {
    const full = (what: string, code: string): ShedError => new ShedError(503, what, code, FULL_RETRY_SECONDS);
    if (closed) throw full('The dashboard is ending.', 'ending');
    if (viewers.size >= maxViewers) throw full('Too many pages are open.', 'too_many_viewers');
    const fresh = names.filter((name) => !topics.has(name)).length;
    if (topics.size + fresh > maxTopics) throw full('Too many different pages are open.', 'too_many_topics');
  };

  return {
    watch: async (request, response) => {
      const names = topicsAsked(request);
      checkRoom(names);
      const sources = await Promise.all(names.map(async (name) => [name, await sourceOf(name)] as const));
      for (const [name, source] of sources) if (source === null) throw noSuchTopic(name);
      // Others may have come meanwhile. From here on nothing is waited for.
      checkRoom(names);
      response.set({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // nginx would hold the events back until it has a page of them.
        'x-accel-buffering': 'no',
      });
      viewers.add(response);
      response.once('close', () => leave(response));
      // A write to a viewer that has just gone is no trouble of ours; its 'close' follows.
      response.on('error', () => undefined);
      response.flushHeaders();
      response.write(`retry: ${RECONNECT_MS}\nevent: version\ndata: ${JSON.stringify(version)}\n\n`);
      if (response.closed || response.destroyed) return leave(response);
      for (const [name, source] of sources) if (source !== null) join(name, source, response);
    },
    count: () => viewers.size,
    close: () => {
      closed = true;
      clearInterval(heartbeat);
      for (const viewer of viewers) viewer.end();
      for (const topic of topics.values()) topic.stop();
      topics.clear();
    },
  };
}

/** A topic whose value does not change any more. */
export function settled(value: object): Source {
  return (tell) => {
    tell(value);
    return () => undefined;
  };
}

/**
 * A topic whose value is read again and again: never twice at once, and not while nobody watches.
 * @param everyMs how long to rest, by what was read last where it is a function; after a failure as after nothing
 * @param onError told once of a row of failures
 */
export function polled<T extends object>(
  read: () => Promise<T>,
  everyMs: number | ((last: T | null) => number),
  onError: (error: unknown) => void,
): Source {
  return (tell) => {
    let stopped = false;
    let failing = false;
    let timer: NodeJS.Timeout | undefined;
    const round = async (): Promise<void> => {
      let value: T | null = null;
      try {
        value = await read();
        failing = false;
        if (!stopped) tell(value);
      } catch (error) {
        if (!failing) onError(error);
        failing = true;
      }
      const restMs = typeof everyMs === 'number' ? everyMs : everyMs(value);
      if (!stopped) timer = setTimeout(() => void round(), restMs);
    };
    void round();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  };
}

function eventOf(topic: string, fields: ReadonlyMap<string, string>): string {
  const json = [...fields].map(([field, text]) => `${JSON.stringify(field)}:${text}`).join(',');
  return `event: ${topic}\ndata: {${json}}\n\n`;
}

function topicsAsked(request: Request): string[] {
  const asked = request.query.topics;
  const names = typeof asked === 'string' ? [...new Set(asked.split(',').filter((name) => name !== ''))] : [];
  if (names.length > 0 && names.length <= MAX_TOPICS) return names;
  throw new InvalidRequestError(`'topics' must name 1 to ${MAX_TOPICS} topics.`, 'topics', 'invalid_value');
}

const TOPICS =
  'The topics are overview, history, actions, batches, flows, action:<id>, batch:<id>, flow:<id>, job:<id>, cost:<days>, failures:<hours>:<queue> and cohort:<hours>:<queue>:<cause>.';

function noSuchTopic(name: string): InvalidRequestError {
  return new InvalidRequestError(`There is no topic '${name.slice(0, 100)}'. ${TOPICS}`, 'topics', 'invalid_value');
}
