/** What a reservation costs Redis: time of its scripts by Redis's own count, with 1, 10 and 100 processes in the line. */
import { loadavg } from 'node:os';
import { closeRedis, connectRedis, type Gauge, type Grant, type Line, openLine } from '@millrace/queue';
import { elapsed } from '../../harness/elapse.ts';
import { freshRedis } from '../../harness/redis.ts';
import { print, round } from '../figures.ts';
import { cpuSeconds } from '../process-figures.ts';
import { LIMITS, MODEL } from './limited-upstream.ts';
import { mixedJobs } from './workload.ts';

const ASKERS = [1, 10, 100];
/** At the limit of the other parts Redis is idle between two scripts, and its caches are cold; at 20 times it, not. */
const TIMES_THE_LIMIT = [1, 20];
/** The limit's first second is its ramp; what follows is counted. */
const WARM_UP_MS = 1500;
const COUNTED_MS = 4000;
/** Calls waiting or in flight, of all askers together and of each at the least: so that the line is never empty. */
const CALLS = 60;
const CALLS_EACH = 2;
const CALL_MS = 200;
const LEASE_MS = 60_000;
/** The simulator's rule: input is a quarter of its characters; answers have about so many tokens. */
const CHARACTERS_PER_TOKEN = 4;
const ANSWER_TOKENS = 100;

/** Prints a line for each pace and number of askers. Every call is reserved as a worker does it, and settled with headers. */
export async function cost(): Promise<void> {
  for (const times of TIMES_THE_LIMIT) {
    for (const askers of ASKERS) await costOf(askers, times);
  }
}

async function costOf(askers: number, times: number): Promise<void> {
  const server = await freshRedis();
  const redis = connectRedis(server.url, 'patient', (error) => console.error(error));
  const requestsPerMinute = LIMITS.requestsPerMinute * times;
  const tokensPerMinute = LIMITS.tokensPerMinute * times;
  const config = { requestsPerMinute, tokensPerMinute, burstSeconds: LIMITS.burstSeconds, models: [] };
  const over = new AbortController();
  const upstream = countingUpstream(requestsPerMinute, tokensPerMinute);
  let granted = 0;
  let grantedTokens = 0;
  const lines = Array.from({ length: askers }, (_, number) =>
    openLine(redis, { limit: 'key', group: MODEL }, config, `asker ${number}`, (error) => console.error(error)),
  );
  const sizes = mixedJobs().map(({ input }) => input.length / CHARACTERS_PER_TOKEN + ANSWER_TOKENS);
  let asked = 0;
  const callAgain = async (line: Line): Promise<void> => {
    while (!over.signal.aborted) {
      const number = asked++;
      const tokens = sizes[number % sizes.length] ?? ANSWER_TOKENS;
      const place = await line.acquire({
        id: `call ${number}`,
        tokens,
        priority: 5,
        leaseMs: LEASE_MS,
        signal: over.signal,
      });
      if (place.kind !== 'granted') return;
      granted++;
      grantedTokens += tokens;
      const told = upstream.take(tokens);
      await elapsed(CALL_MS);
      await settle(line, place.grant, tokens, told);
    }
  };
  const callsEach = Math.max(CALLS_EACH, (CALLS * times) / askers);
  const going = lines.flatMap((line) => Array.from({ length: callsEach }, () => callAgain(line)));
  try {
    await elapsed(WARM_UP_MS);
    await redis.config('RESETSTAT');
    const [cpuBefore, grantedBefore, tokensBefore] = [cpuSeconds(server.pid), granted, grantedTokens];
    const began = performance.now();
    await elapsed(COUNTED_MS);
    const { calls, microseconds, middle } = await scriptUse(redis);
    const cpu = cpuSeconds(server.pid) - cpuBefore;
    const reservations = granted - grantedBefore;
    const due = (tokensPerMinute * (performance.now() - began)) / 60_000;
    const each = calls / reservations;
    print({
      bench: 'limits',
      what: 'Redis CPU of a reservation, taken and settled',
      requests_per_minute: requestsPerMinute,
      askers,
      reservations,
      limit_used: round((grantedTokens - tokensBefore) / due, 2),
      scripts_each: round(each, 1),
      microseconds_a_script: { p50: round(middle), mean: round(microseconds / calls) },
      // Redis measures by the clock: on a machine that is not idle the mean has what others took in between.
      microseconds_a_reservation: { p50: round(middle * each), mean: round(microseconds / reservations) },
      process_microseconds_a_reservation: round((cpu * 1e6) / reservations),
      load: round(loadavg()[0] ?? Number.NaN, 1),
      goal: 'microseconds_a_reservation <= 150',
    });
  } finally {
    over.abort();
    for (const line of lines) line.close();
    await Promise.all(going);
    await closeRedis(redis);
    await server.dispose();
  }
}

function settle(
  line: Line,
  grant: Grant | null,
  tokens: number,
  told: { requests: Gauge; tokens: Gauge },
): Promise<void> {
  return line.release(grant, {
    tokens,
    requestsLeft: told.requests,
    tokensLeft: told.tokens,
    answered: true,
    closeForMs: null,
  });
}

/** What an upstream's headers would say: two buckets, filled at the limit's pace, charged as calls come. */
function countingUpstream(
  requestsPerMinute: number,
  tokensPerMinute: number,
): { take(tokens: number): { requests: Gauge; tokens: Gauge } } {
  const bucket = (perMinute: number) => {
    const most = (perMinute / 60) * LIMITS.burstSeconds;
    let level = most;
    let at = performance.now();
    return (amount: number): Gauge => {
      const now = performance.now();
      level = Math.min(most, level + ((now - at) * perMinute) / 60_000) - amount;
      at = now;
      return { limit: perMinute, remaining: Math.max(0, Math.floor(level)) };
    };
  };
  const requests = bucket(requestsPerMinute);
  const tokens = bucket(tokensPerMinute);
  return { take: (amount) => ({ requests: requests(1), tokens: tokens(amount) }) };
}

/** Of the scripts since the last reset: how often, µs in all, µs of the middle one. Only reservations run any here. */
async function scriptUse(
  redis: ReturnType<typeof connectRedis>,
): Promise<{ calls: number; microseconds: number; middle: number }> {
  const [, calls, microseconds] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(await redis.info('commandstats')) ?? [];
  const [, middle] = /usec_evalsha:p50=([\d.]+)/.exec(await redis.info('latencystats')) ?? [];
  return { calls: Number(calls), microseconds: Number(microseconds), middle: Number(middle) };
}
