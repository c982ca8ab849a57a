/**
 * A call at work: waits out its latency, shows its stream's events at the asked pace and ends exactly once. Whoever
 * reads along is told of each step.
 */
import { CHARACTERS_PER_TOKEN, countTokens } from '../request/input-text.ts';
import { type Call, hasEnded } from './call.ts';
import { headEvents, openingEvents, type StreamEvent } from './events.ts';

export interface Timing {
  latencyMs: number;
  tokensPerSecond: number | undefined;
}

export interface Run {
  readonly call: Call;
  /** Calls `listener` after each step and at the end; returns what stops that. */
  watch(listener: () => void): () => void;
  /** Ends the work now, as if its time had passed: the client left, the bill stays. */
  finish(): void;
  /** Ends the work as cancelled, with what it had made so far; nothing once it has ended. */
  cancel(): void;
}

const MS_PER_SECOND = 1000;

/** When each event is due, in milliseconds after the first output. */
function dueTimes(events: StreamEvent[], tokensPerSecond: number): number[] {
  let due = 0;
  return events.map(({ delta = '' }) => {
    due += (delta.length / CHARACTERS_PER_TOKEN / tokensPerSecond) * MS_PER_SECOND;
    return due;
  });
}

/** Tokens of the deltas shown so far. */
function tokensShown(call: Call): number {
  const shown = headEvents(call).slice(0, call.visibleEvents);
  return countTokens(shown.map(({ delta = '' }) => delta).join(''));
}

/**
 * Starts the work. `onEnd` is called once, with the tokens made; without latency and pace that is before this returns,
 * unless the call is a background one, which is seen queued first. `onOutput` is called before, once there is output.
 */
export function startRun(
  call: Call,
  timing: Timing,
  onEnd: (run: Run, outputTokens: number) => void,
  onOutput: () => void = () => undefined,
): Run {
  const listeners = new Set<() => void>();
  const { background, stream } = call.request;
  const paced = stream || background ? timing.tokensPerSecond : undefined;
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  let hasOutput = false;

  function beginOutput(): void {
    if (hasOutput || call.answer.error) return;
    hasOutput = true;
    onOutput();
  }

  function tell(): void {
    for (const listener of listeners) listener();
  }

  function end(status: Call['status'], outputTokens: number): void {
    clearTimeout(timer);
    clearImmediate(immediate);
    call.status = status;
    call.endedAtMs = Date.now();
    onEnd(run, outputTokens);
    tell();
    listeners.clear();
  }

  function finish(): void {
    if (hasEnded(call)) return;
    beginOutput();
    call.visibleEvents = Number.POSITIVE_INFINITY;
    const { error, incomplete, outputTokens } = call.answer;
    end(error ? 'failed' : incomplete ? 'incomplete' : 'completed', outputTokens);
  }

  function produce(): void {
    beginOutput();
    if (paced === undefined) {
      finish();
      return;
    }
    const due = dueTimes(headEvents(call), paced);
    const startMs = performance.now();
    const step = () => {
      const elapsedMs = performance.now() - startMs;
      let next = due.findIndex((dueMs) => dueMs > elapsedMs);
      if (next < 0) next = due.length;
      call.visibleEvents = next;
      const dueMs = due[next];
      if (dueMs === undefined) {
        finish();
        return;
      }
      tell();
      timer = setTimeout(step, Math.ceil(dueMs - elapsedMs));
    };
    step();
  }

  function begin(): void {
    call.status = 'in_progress';
    if (background) {
      call.visibleEvents = openingEvents(call);
      tell();
    }
    if (timing.latencyMs > 0) timer = setTimeout(produce, timing.latencyMs);
    else produce();
  }

  const run: Run = {
    call,
    watch(listener) {
      if (!hasEnded(call)) listeners.add(listener);
      return () => listeners.delete(listener);
    },
    finish,
    cancel() {
      if (!hasEnded(call)) end('cancelled', tokensShown(call));
    },
  };

  if (background) {
    call.visibleEvents = openingEvents(call) - 1;
    if (!call.stuck) immediate = setImmediate(begin);
  } else {
    begin();
  }

  return run;
}
