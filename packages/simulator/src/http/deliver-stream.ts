/** A streamed answer: a call's events as they become visible, from any sequence number, or broken as the fault says. */

import { type Call, hasEnded } from '../calls/call.ts';
import type { StreamEvent } from '../calls/events.ts';
import type { Run } from '../calls/run.ts';
import { type Break, breakAfter, writePadding } from './break-connection.ts';
import { type Exchange, setCommonHeaders, whenDelivered } from './exchange.ts';
import type { WireStream } from './wire.ts';

export interface StreamOptions {
  /** The first sequence number to send. */
  from: number;
  broken?: Break | undefined;
  /** What is written. */
  wire: WireStream;
  /** Called once a terminal event is wholly written. */
  delivered: () => void;
}

/** Breaks come in the middle of the deltas, or after the first event where there are none. */
function breakPoint(events: StreamEvent[]): number {
  const deltas = events.flatMap(({ delta }, index) => (delta === undefined ? [] : [index]));
  return deltas[Math.floor(deltas.length / 2)] ?? 1;
}

/** Streams the call's events to the exchange until its end, the client's or the fault's; `run` is there while it runs. */
export function deliverStream(exchange: Exchange, call: Call, run: Run | undefined, options: StreamOptions): void {
  const { res } = exchange;
  const { broken, wire, delivered } = options;
  // The connection stays open, and nothing comes over it.
  if (broken === 'mute') return;
  const { events } = wire;
  const midway = broken === 'noterminal' ? undefined : broken;
  const breakAt = midway ? breakPoint(events) : Number.POSITIVE_INFINITY;
  let next = options.from;
  let stopped = false;

  function stop(): void {
    stopped = true;
    unwatch?.();
  }

  function takeUpTo(end: number): string {
    let text = '';
    for (; next < end; next += 1) text += wire.textOf(next);
    return text;
  }

  function breakOff(kind: Exclude<Break, 'noterminal' | 'mute'>, text: string): void {
    if (kind === 'hugeline') {
      void sendHugeEvent(text);
      return;
    }
    stop();
    if (kind === 'badjson') res.end(text + wire.half);
    else breakAfter(exchange, text, kind);
  }

  /** The event at the break carries 64 MB of white space in its one line; then the stream goes on. */
  async function sendHugeEvent(text: string): Promise<void> {
    stopped = true;
    const line = wire.textOf(next);
    const end = line.lastIndexOf('}');
    res.write(text + line.slice(0, end));
    if (!(await writePadding(exchange))) return;
    res.write(line.slice(end));
    next += 1;
    stopped = false;
    pump();
  }

  function pump(): void {
    if (stopped) return;
    const visible = Math.min(call.visibleEvents, events.length);
    const text = takeUpTo(Math.min(visible, breakAt));
    if (midway && next === breakAt && next < visible) {
      breakOff(midway, text);
      return;
    }
    if (!hasEnded(call)) {
      if (text) res.write(text);
      return;
    }
    stop();
    const terminal = wire.terminalText();
    if (broken === 'noterminal' || !terminal) {
      res.end(text);
      return;
    }
    whenDelivered(exchange, delivered);
    // A client that resumes after the last event is sent nothing: it has seen the end.
    res.end(next <= events.length ? text + terminal : text);
  }

  setCommonHeaders(exchange);
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  const unwatch = run?.watch(pump);
  res.once('close', stop);
  pump();
}
