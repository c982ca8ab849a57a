/**
 * How much of a rate limit is spent. The same 1,500 mixed jobs against an upstream that enforces 3,000 requests and
 * 600,000 tokens a minute with a second of burst, by three Millrace workers from cold under several conditions, and by
 * what a user would write instead.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { print, round } from './figures.ts';
import { changed } from './limits/changed.ts';
import { tokensEachSecond } from './limits/charges.ts';
import { cost } from './limits/cost.ts';
import { foreign } from './limits/foreign.ts';
import { LIMITS } from './limits/limited-upstream.ts';
import { type MixedRun, type MixedTerms, mixedFigures, mixedRun } from './limits/mixed-run.ts';
import { plotUse, type Use } from './limits/plot-use.ts';
import { priority } from './limits/priority.ts';
import { sdkLoop, tutorialWorkers } from './limits/usual.ts';

const PLOT = join(import.meta.dirname, '..', '..', 'docs', 'limits-use.svg');
const { requestsPerMinute, tokensPerMinute } = LIMITS;
const CONFIGURED = { requestsPerMinute, tokensPerMinute };
const TIGHT_GOAL = 'ratio <= 1.01, limited 0, failed 0';
/** Of the upstream's tokenizer, where 4 are assumed until it is learned: the first guesses are 20 % off. */
const GUESSED_TOO_LOW = { charactersPerToken: 3.2 };
const GUESSED_TOO_HIGH = { charactersPerToken: 4.8 };

/** In this order; each tells what belongs in the plot. */
const PARTS: Record<string, () => Promise<Use[]>> = {
  configured: async () => [await millrace('limit configured', { limit: CONFIGURED }, TIGHT_GOAL)],
  estimates: async () => {
    const run = (name: string, simulator: MixedTerms['simulator'] = {}) =>
      millrace(name, { limit: CONFIGURED, simulator }, TIGHT_GOAL);
    await run('sizes guessed 20 % too low', GUESSED_TOO_LOW);
    await run('sizes guessed 20 % too high', GUESSED_TOO_HIGH);
    return [];
  },
  learned: async () => {
    await millrace('limit unset', { limit: {} }, 'ratio <= 1.02, limited_share <= 0.002, failed 0');
    return [];
  },
  foreign: () => foreign().then(() => []),
  changed: () => changed().then(() => []),
  priority: () => priority().then(() => []),
  usual: async () => {
    const loop = await sdkLoop();
    tell('openai SDK, 50 in flight, 8 retries', loop);
    const tutorial = await tutorialWorkers();
    tell('BullMQ, 3 workers, limiter 50/s, exponential backoff', tutorial);
    return [useOf('openai SDK loop', loop), useOf('BullMQ worker with limiter', tutorial)];
  },
  cost: () => cost().then(() => []),
};
const PLOTTED = ['configured', 'usual'];
const PLOT_FLAG = '--plot';

/**
 * Prints a JSON line for each run; all parts together take some nine minutes.
 * @param rest names of parts, none: all of them; `--plot` writes docs/limits-use.svg
 * @throws for a name that there is not, or a plot of what is not run
 */
export async function limits(rest: readonly string[]): Promise<void> {
  const named = rest.filter((name) => name !== PLOT_FLAG);
  const unknown = named.find((name) => PARTS[name] === undefined);
  if (unknown !== undefined)
    throw new Error(`limits has no part '${unknown}'; it has ${Object.keys(PARTS).join(', ')}`);
  const isChosen = (name: string): boolean => named.length === 0 || named.includes(name);
  const plot = rest.includes(PLOT_FLAG);
  if (plot && !PLOTTED.every(isChosen)) throw new Error(`${PLOT_FLAG} needs the parts ${PLOTTED.join(' and ')}`);
  const uses: Use[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (isChosen(name)) uses.push(...(await part()));
  }
  if (!plot) return;
  const title = 'Tokens charged per second: 1,500 mixed jobs, 600,000 tokens a minute';
  await writeFile(PLOT, plotUse(uses, tokensPerMinute / 60, title));
}

async function millrace(name: string, terms: MixedTerms, goal: string): Promise<Use> {
  const run = await mixedRun(terms);
  tell(`millrace, ${name}`, run, goal);
  return useOf('Millrace', run);
}

function tell(system: string, run: MixedRun, goal?: string): void {
  print({ bench: 'limits', system, ...mixedFigures(run), ...(goal === undefined ? {} : { goal }) });
}

function useOf(name: string, { charges, beganAt, limited, failed, seconds }: MixedRun): Use {
  const note = `${round(seconds)} s, ${limited.toLocaleString('en')} refused, ${failed.toLocaleString('en')} jobs lost`;
  return { name, note, tokensEachSecond: tokensEachSecond(charges, beganAt) };
}
