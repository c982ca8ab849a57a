/**
 * State that the server tells as it changes: one connection a page, of the topics that its parts ask for. It is closed
 * while nobody sees the page, and opened again by itself when it breaks off.
 */
import { useCallback, useSyncExternalStore } from 'react';
import { askWhoIAm } from './api.ts';

interface Topic {
  value: Record<string, unknown> | null;
  listeners: Set<() => void>;
}

export type Connection = 'opening' | 'live' | 'lost';

/** The server has other pages by now. */
const OUTDATED = 'millrace-outdated';
const topics = new Map<string, Topic>();
const onConnection = new Set<() => void>();
let connection: Connection = 'opening';
let source: EventSource | null = null;
let opened = '';
let version: string | null = null;
let due: ReturnType<typeof setTimeout> | undefined;

/**
 * What is told under a topic; null until the first word of it.
 * @param name null: of nothing. One that the server does not know must not be asked for: it refuses all that are.
 */
export function useTopic<T>(name: string | null): T | null {
  // The same function as long as the name is: else each rendering would leave the topic and come back.
  const join = useCallback(
    (listener: () => void) => (name === null ? () => undefined : subscribe(name, listener)),
    [name],
  );
  return useSyncExternalStore(join, () => (name === null ? null : (topics.get(name)?.value ?? null)) as T | null);
}

/** Whether what is shown is what is. */
export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      onConnection.add(listener);
      return () => onConnection.delete(listener);
    },
    () => connection,
  );
}

function subscribe(name: string, listener: () => void): () => void {
  const topic = topics.get(name) ?? { value: null, listeners: new Set() };
  topics.set(name, topic);
  topic.listeners.add(listener);
  soon();
  return () => {
    topic.listeners.delete(listener);
    soon();
  };
}

/** A page asks for its topics one by one: they are asked for together. */
function soon(): void {
  clearTimeout(due);
  due = setTimeout(reconnect, 0);
}

function reconnect(): void {
  // Not as soon as it is left: what the next page asks for too is told no second time on the same connection.
  for (const [name, { listeners }] of topics) if (listeners.size === 0) topics.delete(name);
  const names = document.hidden ? '' : [...topics.keys()].sort().join(',');
  if (names === opened && source?.readyState !== EventSource.CLOSED) return;
  source?.close();
  source = null;
  opened = names;
  if (names === '') return;
  const events = new EventSource(`/api/live?topics=${encodeURIComponent(names)}`);
  source = events;
  const asked = names.split(',');
  for (const name of asked) events.addEventListener(name, (event) => told(name, JSON.parse(event.data)));
  events.addEventListener('version', (event) => {
    const now = JSON.parse(event.data) as string;
    if (version !== null && version !== now) renew();
    version = now;
    // Everything is told anew; what is shown stays until then.
    become('live');
  });
  events.addEventListener('error', () => {
    become('lost');
    // Refused for good, as the browser sees it: too many viewers, or signed out. Tried again all the same.
    if (events.readyState !== EventSource.CLOSED) return;
    void askWhoIAm();
    setTimeout(reconnect, 2000);
  });
}

function told(name: string, fields: Record<string, unknown>): void {
  const topic = topics.get(name);
  if (topic === undefined) return;
  topic.value = { ...topic.value, ...fields };
  for (const listener of topic.listeners) listener();
}

function become(next: Connection): void {
  if (connection === next) return;
  connection = next;
  for (const listener of onConnection) listener();
}

/** Once: where a page in between is served from somewhere that does not follow, it would load for ever. */
function renew(): void {
  if (sessionStorage.getItem(OUTDATED) === version) return;
  sessionStorage.setItem(OUTDATED, version ?? '');
  location.reload();
}

document.addEventListener('visibilitychange', reconnect);
