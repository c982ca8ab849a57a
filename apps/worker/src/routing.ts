/**
 * Which way each queue's jobs go, as its configuration has it now. Raising a share and rolling back need no restart: the
 * file is looked at, and of what it says `route` and `shadow` of the queues there are hold from the next call on.
 */
import { type Config, type Environment, findConfigFile, type Log, type QueueConfig, watchConfig } from '@millrace/core';

export type QueueRouting = Pick<QueueConfig, 'route' | 'shadow'>;

export interface Routing {
  of(queue: string): QueueRouting;
}

export interface LiveRouting extends Routing {
  /** Takes over what a newer configuration says of the queues there are. */
  take(config: Config): void;
}

export function openRouting(config: Config, log: Log): LiveRouting {
  const queues = new Map(Object.entries(config.queues).map(([name, settings]) => [name, routingOf(settings)]));
  let toldOf = '';
  return {
    of: (queue) => queues.get(queue) ?? {},
    take: (next) => {
      for (const [queue, from] of queues) {
        const settings = next.queues[queue];
        if (settings === undefined) continue;
        const to = routingOf(settings);
        if (!differ(from, to)) continue;
        queues.set(queue, to);
        const said = { from: JSON.stringify(from), to: JSON.stringify(to) };
        log.info({ queue, ...said }, 'The queue is routed otherwise from now on');
      }
      const others = othersChanged(config, next).join(', ');
      if (others !== '' && others !== toldOf) {
        log.warn({ keys: others }, 'The configuration has other changes too: they need a restart');
      }
      toldOf = others;
    },
  };
}

/** Often enough that a rollback holds within seconds. */
const LOOK_EVERY_MS = 1000;

/** Keeps the routing as the file has it. Without a file there is nothing to follow. */
export function followConfig(routing: LiveRouting, environment: Environment, log: Log): { close(): void } {
  const file = findConfigFile(environment);
  if (file === null) return { close: () => undefined };
  return watchConfig({
    ...{ file, environment, everyMs: LOOK_EVERY_MS, onChange: routing.take },
    onFault: (error) => log.error({ err: error }, 'The configuration has changed and is faulty: what was holds'),
  });
}

function routingOf({ route, shadow }: QueueConfig): QueueRouting {
  return { ...(route === undefined ? {} : { route }), ...(shadow === undefined ? {} : { shadow }) };
}

/** Paths of what differs beside routing, two levels deep. Functions cannot be compared, and are taken for equal. */
function othersChanged(one: Config, other: Config): string[] {
  return [...comparable(one)].flatMap(([key, value]) => {
    const changed = comparable(other).get(key);
    if (!isRecord(value) || !isRecord(changed)) return differ(value, changed) ? [key] : [];
    const names = new Set([...Object.keys(value), ...Object.keys(changed)]);
    return [...names].filter((name) => differ(value[name], changed[name])).map((name) => `${key}.${name}`);
  });
}

function comparable({ source: _, queues, schemas, tools, ...config }: Config): Map<string, unknown> {
  const others = Object.entries(queues).map(([name, { route: _, shadow: __, ...settings }]) => [name, settings]);
  const schemasOnly = Object.entries(schemas).map(([name, { jsonSchema }]) => [name, jsonSchema]);
  return new Map<string, unknown>([
    ...Object.entries(config),
    ['queues', Object.fromEntries(others)],
    ['schemas', Object.fromEntries(schemasOnly)],
    ['tools', Object.fromEntries(Object.keys(tools).map((name) => [name, true]))],
  ]);
}

function differ(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
