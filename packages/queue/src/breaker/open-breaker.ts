/**
 * The circuit breaker of one upstream, shared by the fleet through Redis. While the upstream is well, no call waits for
 * it and it costs Redis a command or two a process and second; when half of the calls fail, it opens for everyone: no
 * call starts but one probe an interval, and after a probe that succeeded they come back step by step.
 *
 * It is an aid, never a gate of its own: where Redis is away or slow, calls start.
 *
 * The sampling of the latest calls follows the idea of cockatiel's SamplingBreaker and Polly's; that all processes
 * count together, under Redis's clock, is ours.
 */
import type { Redis } from 'ioredis';
import { breakerKeys } from '../keys.ts';
import { type BreakerState, type Known, readTurn, type StepReply, step } from './step.ts';
import { openTally } from './tally.ts';
import { openWaitingCalls } from './waiting-calls.ts';

/** A call that may start. Given back to `record` as it is: by it the breaker knows when the call began. */
export interface Pass {
  kind: 'pass';
  /** Others wait for how this one ends: the upstream is not known to be well again. */
  probe: boolean;
  /** The outage it began after; results of calls that began before it opened say nothing of now. */
  opening: number;
}

export type Entry = Pass | { kind: 'open'; inMs: number } | { kind: 'aborted' };

export interface Breaker {
  /**
   * Asked before each call: at once while closed. While open it says when the next probe is due; while calls come back,
   * it may wait two seconds for a turn. Never throws.
   */
  enter(signal: AbortSignal): Promise<Entry>;
  /**
   * How the call ended. Never throws.
   * @param ok false: 5xx, no connection, timeout; true: any other answer; null: called off, which tells nothing
   */
  record(ok: boolean | null, pass: Pass): void;
  /** As far as this process knows. */
  state(): BreakerState;
  /** Ends its connection and timers; whoever waits gets `aborted`. */
  close(): void;
}

/** Successes are told together; a failure at once. The fleet's rate is then at most this old. */
const TELL_SUCCESSES_MS = 250;
/** A Redis that does not answer within this time holds no call up. */
const ANSWER_MS = 1000;

/** Of a call that nobody has judged: its result counts for nothing. */
const NO_OPENING = -1;

/**
 * @param redis its scripts are defined (connectRedis); a second connection like it is opened to hear of changes
 * @param upstream its name in the configuration
 * @param onError told of Redis's errors, as often as they happen; must not throw
 * @param onChange told when the state changes as this process sees it; must not throw
 */
export function openBreaker(
  redis: Redis,
  upstream: string,
  onError: (error: Error) => void,
  onChange: (state: BreakerState) => void = () => undefined,
): Breaker {
  const keys = breakerKeys(upstream);
  let known: Known = { state: 'closed', since: 0, opening: NO_OPENING };
  /** False until Redis has said how it stands, and again after its changes could not be heard for a while. */
  let sure = false;
  let telling = false;
  let timer: NodeJS.Timeout | null = null;
  let over = false;

  const tell = (error: unknown): void => {
    // Whatever was under way when it was closed fails with its connection.
    if (!over) onError(error as Error);
  };
  const learn = (seen: Known): void => {
    // Unless its hearing was interrupted: a Redis that came back may have lost the last change.
    if (over || (sure && seen.since < known.since)) return;
    const before = known;
    known = seen;
    sure = true;
    if (seen.opening !== before.opening) tally.clear();
    if (seen.state !== before.state) onChange(seen.state);
    calls.wake();
  };
  const tally = openTally(() => known.state !== 'closed');
  const calls = openWaitingCalls(
    async () => {
      if (redis.status !== 'ready') return null;
      const reply = await within(ANSWER_MS, step(redis, keys, known.opening, '', true).catch(tell));
      if (reply !== undefined) learn(reply);
      return reply ?? null;
    },
    ({ opening }) => void step(redis, keys, opening, '0', false).then(learn, tell),
  );

  const tellResults = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    telling = true;
    await step(redis, keys, known.opening, tally.take(), false).then(learn, tell);
    telling = false;
    tellSoon();
  };
  /** One report is under way at a time, so that a hundred failures at once are two reports. */
  const tellSoon = (): void => {
    if (telling || over || tally.empty()) return;
    if (redis.status !== 'ready') tally.take();
    else if (tally.urgent()) void tellResults();
    else timer ??= setTimeout(() => void tellResults(), TELL_SUCCESSES_MS);
  };

  const counts = ({ opening }: Pass): boolean => opening !== NO_OPENING && opening === known.opening;
  const pass = (reply: StepReply | Known | null): Pass => {
    const admitted: Pass = {
      kind: 'pass',
      probe: reply !== null && reply.state !== 'closed',
      opening: reply?.opening ?? NO_OPENING,
    };
    if (counts(admitted)) tally.started(admitted);
    return admitted;
  };

  const hearing = listen(redis, keys.turned, {
    heard: (message) => learn(readTurn(message)),
    /** What happened before was not heard. */
    listening: () => {
      sure = false;
      step(redis, keys, known.opening, '', false).then(learn, tell);
    },
    onError: tell,
  });

  return {
    enter: async (signal) => {
      if (over || signal.aborted) return { kind: 'aborted' };
      if (redis.status !== 'ready') return pass(known.state === 'closed' ? known : null);
      if (sure && known.state === 'closed') return pass(known);
      const turn = await calls.wait(signal);
      return turn.kind === 'start' ? pass(turn.reply) : turn;
    },
    record: (ok, admitted) => {
      if (over || !counts(admitted)) return;
      tally.ended(admitted, ok);
      tellSoon();
    },
    state: () => known.state,
    close: () => {
      over = true;
      if (timer !== null) clearTimeout(timer);
      hearing.disconnect();
      calls.close();
    },
  };
}

interface Ears {
  heard: (message: string) => void;
  /** After each (re)connection, once nothing more can be missed. */
  listening: () => void;
  onError: (error: unknown) => void;
}

/** A connection of its own, because one that subscribes can do nothing else. */
function listen(redis: Redis, channel: string, { heard, listening, onError }: Ears): Redis {
  const subscriber = redis.duplicate({ autoResubscribe: false });
  subscriber.on('error', onError);
  subscriber.on('message', (_channel, message) => heard(message));
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).then(listening, onError);
  });
  return subscriber;
}

/** Undefined when it takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let bound: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    bound = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(bound);
  }
}
