/**
 * A call of a job that was not its last, as its page is told it: what the model said, and what each tool told it then.
 * Excerpts, and a bounded number of them: a loop may take many turns, and any field may be anything.
 */
import type { Miss } from '@millrace/core';
import type { ToolOutput, Turn } from '@millrace/queue';
import { MESSAGE_CHARACTERS, TURN_CHARACTERS, TURN_PARTS_SHOWN, TURNS_SHOWN } from './bounds.ts';
import { chatItem, cut, inShort, type Room } from './chat-of.ts';
import { oneLine } from './excerpt.ts';
import type { JobPageView, SaidView, TurnView } from './views/job.ts';

/**
 * The last calls of these, in order.
 * @param costOf what a call cost, US dollars
 */
export function turnViews(
  turns: readonly Turn[],
  costOf: (turn: Turn) => number | null,
  room: Room,
): Pick<JobPageView, 'turns' | 'turns_omitted'> {
  const shown = turns.slice(-TURNS_SHOWN);
  return {
    turns: shown.map((turn) => turnView(turn, costOf(turn), room)),
    turns_omitted: turns.length - shown.length,
  };
}

function turnView(turn: Turn, cost: number | null, room: Room): TurnView {
  const items: unknown[] = Array.isArray(turn.output) ? turn.output : [];
  const misses = Array.isArray(turn.misses) ? turn.misses : [];
  const shown = items.slice(0, TURN_PARTS_SHOWN);
  const shownMisses = missesIn(misses);
  const toldTo = tellerOf(turn);
  return {
    ...{ number: turn.number, at: turn.at, upstream_id: turn.upstream_id, usage: turn.usage, cost_usd: cost },
    said: inShort(room, TURN_CHARACTERS, (short) => shown.map((item) => saidView(item, toldTo(item), short))),
    tools_ms: Object.values(turn.tools).reduce((most, { ms }) => Math.max(most, ms), 0),
    misses: shownMisses,
    omitted: items.length - shown.length + misses.length - shownMisses.length,
  };
}

/** Where an answer misses its schema, as far as a page shows it. */
export function missesIn(details: unknown): Miss[] {
  if (!Array.isArray(details)) return [];
  return details
    .filter((one): one is Miss => typeof one?.path === 'string' && typeof one.problem === 'string')
    .slice(0, TURN_PARTS_SHOWN)
    .map(({ path, problem }) => ({
      path: oneLine(path, MESSAGE_CHARACTERS),
      problem: oneLine(problem, MESSAGE_CHARACTERS),
    }));
}

function saidView(item: unknown, told: ToolOutput | undefined, room: Room): SaidView {
  const view = chatItem(item, room);
  if (told === undefined) return { item: view, told: null };
  const { output, failed, ms } = told;
  return { item: view, told: { output: cut(String(output), room), failed: failed === true, ms } };
}

/** What a tool told to each call, the calls asked for in order: the second of the same id is `<id>#2` (see Turn). */
function tellerOf({ tools }: Turn): (item: unknown) => ToolOutput | undefined {
  const times = new Map<string, number>();
  return (item) => {
    const { type, call_id: id, name } = (item ?? {}) as Record<string, unknown>;
    if (type !== 'function_call' || typeof id !== 'string' || typeof name !== 'string') return;
    const nth = (times.get(id) ?? 0) + 1;
    times.set(id, nth);
    const key = nth === 1 ? id : `${id}#${nth}`;
    // An id that comes from outside may be the name of anything.
    return Object.hasOwn(tools, key) ? tools[key] : undefined;
  };
}
