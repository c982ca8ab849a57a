/** Whatever was said, and however tight the bounds: what is carried of it is whole turns from the newest on. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutTurns, type HistoryTurn } from './cut-turns.ts';
import { answeredIn, boundBeyond, calledIn, type Item, isSystem, sizeOf } from './measure-items.ts';

type Step = 'user' | 'assistant' | 'system' | 'call' | 'output' | 'tool' | 'approval';
const step = fc.constantFrom<Step>('user', 'assistant', 'system', 'call', 'output', 'tool', 'approval');

/** Outputs are of the call that has waited longest, in whichever turn that was. */
const conversation = fc
  .array(fc.array(fc.tuple(step, fc.string({ maxLength: 60 })), { maxLength: 6 }), { minLength: 1, maxLength: 12 })
  .map((turns) => {
    let calls = 0;
    const open: string[] = [];
    const output = (): Item[] => {
      const call_id = open.shift();
      return call_id === undefined ? [] : [{ type: 'function_call_output', call_id, output: 'done' }];
    };
    const itemsOf = ([kind, text]: [Step, string]): Item[] => {
      switch (kind) {
        case 'user':
        case 'system':
          return [{ role: kind, content: text }];
        case 'assistant':
          return [{ type: 'message', role: kind, content: [{ type: 'output_text', text }] }];
        case 'output':
          return output();
        case 'call':
        case 'tool': {
          const call_id = `call_${calls++}`;
          open.push(call_id);
          return [{ type: 'function_call', call_id, name: 'f', arguments: '{}' }, ...(kind === 'tool' ? output() : [])];
        }
        case 'approval': {
          const id = `mcpr_${calls++}`;
          return [
            { type: 'mcp_approval_request', id },
            { type: 'mcp_approval_response', approval_request_id: id, approve: true },
          ];
        }
      }
    };
    const items = turns.map((turn) => turn.flatMap(itemsOf));
    return { turns: items.slice(0, -1) as HistoryTurn[], own: items.at(-1) as Item[] };
  });
const bounds = fc.record({ maxMessages: fc.integer({ min: 1, max: 20 }), maxTokens: fc.integer({ min: 1, max: 400 }) });

/** The first turn that is there whole; null where what is carried is not such a history. */
function firstWhole(turns: readonly HistoryTurn[], carried: readonly Item[]): number | null {
  for (let first = turns.length; first >= 0; first--) {
    const expected = turns.flatMap((turn, place) => (place < first ? turn.filter(isSystem) : turn));
    if (expected.length === carried.length && expected.every((item, at) => item === carried[at])) return first;
  }
  return null;
}

function hasOrphans(carried: readonly Item[], own: readonly Item[]): boolean {
  const items = [...carried, ...own];
  const calls = new Set(items.map(calledIn));
  return items.some((item) => answeredIn(item) !== null && !calls.has(answeredIn(item)));
}

it('what is carried is within the bounds, whole turns from the newest on, every system message, and no output without its call', () => {
  let left = 0;
  fc.assert(
    fc.property(conversation, bounds, ({ turns, own }, within) => {
      const cut = cutTurns(turns, own, within);
      if (cut.kind === 'beyond') return;
      left += cut.items.length < turns.flat().length ? 1 : 0;
      expect(boundBeyond(sizeOf(cut.items), within)).toBeNull();
      expect(firstWhole(turns, cut.items)).not.toBeNull();
      expect(hasOrphans(cut.items, own)).toBe(false);
    }),
    { numRuns: 2000 },
  );
  expect(left).toBeGreaterThan(100);
});

it('no more is left out than must be, and nothing is refused that could be carried', () => {
  fc.assert(
    fc.property(conversation, bounds, ({ turns, own }, within) => {
      const cut = cutTurns(turns, own, within);
      const first = cut.kind === 'beyond' ? turns.length + 1 : firstWhole(turns, cut.items);
      for (let more = 0; more < (first ?? 0) && more <= turns.length; more++) {
        const items = turns.flatMap((turn, place) => (place < more ? turn.filter(isSystem) : turn));
        const same = cut.kind === 'within' && items.length === cut.items.length;
        expect(same || hasOrphans(items, own) || boundBeyond(sizeOf(items), within) !== null).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

it('a call whose output comes two turns later is left out with all between, or not at all', () => {
  const said = (text: string): Item => ({ role: 'user', content: text });
  const turns = [
    [said('first')],
    [said('second'), { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }],
    [said('third')],
  ];
  const output = { type: 'function_call_output', call_id: 'call_1', output: 'done' };
  const within = (maxMessages: number) => ({ maxMessages, maxTokens: 1000 });
  expect(cutTurns(turns, [output], within(2))).toEqual({ kind: 'within', items: turns.slice(1).flat() });
  expect(cutTurns(turns, [output], within(1))).toEqual({ kind: 'beyond', bound: 'maxMessages' });
  expect(cutTurns(turns, [said('fourth')], within(1))).toEqual({ kind: 'within', items: [said('third')] });
});
