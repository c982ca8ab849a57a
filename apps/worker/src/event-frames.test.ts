import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameEvents } from './event-frames.ts';

const OURS = `resp_${'a'.repeat(48)}`;
const THEIRS = 'resp_up"stream'.replace('"', '-');

interface Event {
  type: string;
  sequence_number?: number;
  [field: string]: unknown;
}

const parsed = (frame: string): Event => {
  const [, type = '', data = ''] = /^event: ([^\n]*)\ndata: ([^\n]*)\n\n$/.exec(frame) ?? [];
  const event = JSON.parse(data) as Event;
  expect(event.type).toBe(type);
  return event;
};
const response = (more: object = {}): object => ({ id: THEIRS, object: 'response', background: true, ...more });

/** As JSON has it: -0 is 0. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
/** U+2028 ends a line of JavaScript, and none of an event stream. */
const delta = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constant('two\u2028lines'))
  .map((text) => ({ type: 'response.output_text.delta', delta: text }));
const other = fc.record({
  type: fc.constant('response.of_next_year'),
  deep: fc.jsonValue({ maxDepth: 3 }).map(asJson),
});
const events = fc
  .array(fc.oneof(delta, other), { maxLength: 30 })
  .map((between): Event[] => [
    { type: 'response.created', response: response({ instructions: `say "${THEIRS}" and "sequence_number":7,` }) },
    ...between,
    { type: 'response.completed', response: response() },
  ]);
/** How an upstream may number its events. */
const numbering = fc.constantFrom<(index: number) => number | undefined>(
  (index) => index,
  (index) => index + 1,
  (index) => index * 3,
  (index) => 100 + index,
  () => undefined,
);

it('however the upstream counts, our numbers begin at 0 and leave none out, and all else stays as it came', () => {
  fc.assert(
    fc.property(events, numbering, fc.boolean(), (sent, number, spaced) => {
      const { frame, end } = frameEvents({ id: OURS, background: false, after: null });
      const seen = sent.map((event, index) => {
        const told = number(index);
        const { type, ...rest } = event;
        const whole = { type, ...(told === undefined ? {} : { sequence_number: told }), ...rest };
        const data = spaced ? JSON.stringify(whole, null, 1) : JSON.stringify(whole);
        return frame(type, data);
      });
      for (const [index, framed] of seen.entries()) {
        if (framed.kind === 'known') throw new Error('an event was left out');
        if (framed.kind === 'end') {
          expect(index).toBe(sent.length - 1);
          expect(end()).toEqual({ frames: [], sequence: index });
          continue;
        }
        expect(framed.sequence).toBe(index);
        const event = sent[index] as Event;
        const expected =
          index === 0 ? { ...event, response: { ...(event.response as object), id: OURS, background: false } } : event;
        expect(parsed(framed.frame)).toEqual({ ...expected, sequence_number: index });
      }
    }),
  );
});

describe('an upstream that is asked to go on', () => {
  it('after an event, and begins from the start again, tells nothing twice', () => {
    const { frame } = frameEvents({ id: OURS, background: true, after: 3 });
    const kinds = [0, 1, 2, 3, 4, 5].map(
      (n) =>
        frame('response.output_text.delta', JSON.stringify({ type: 'response.output_text.delta', sequence_number: n }))
          .kind,
    );
    expect(kinds).toEqual(['known', 'known', 'known', 'known', 'frame', 'frame']);
  });

  it('can be so only where it counts as we do', () => {
    const alike = (first: number): boolean => {
      const frames = frameEvents({ id: OURS, background: true, after: null });
      frames.frame('response.in_progress', JSON.stringify({ type: 'response.in_progress', sequence_number: first }));
      return frames.alike();
    };
    expect([alike(0), alike(1)]).toEqual([true, false]);
  });
});

it('what is no JSON is passed on as it is', () => {
  const { frame } = frameEvents({ id: OURS, background: true, after: null });
  expect(frame('response.created', '{"response": broken')).toMatchObject({ kind: 'frame', sequence: 0 });
});

it.each([
  ['null', { previous_response_id: null }],
  ['nothing', {}],
])(
  'where the upstream remembers nothing, and tells %s of it, the client still reads what it goes on from',
  (_, told) => {
    const previous = { ours: `resp_${'b'.repeat(48)}`, upstreams: null };
    const { frame } = frameEvents({ id: OURS, background: false, after: null, previous });
    const framed = frame('response.created', JSON.stringify({ type: 'response.created', response: response(told) }));
    if (framed.kind !== 'frame') throw new Error('no frame');
    expect(parsed(framed.frame).response).toMatchObject({ id: OURS, previous_response_id: previous.ours });
  },
);

describe('calls of functions that workers run', () => {
  const call = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'ours', arguments: '' };
  const added = (name: string, output_index: number, sequence_number: number) =>
    JSON.stringify({ type: 'response.output_item.added', output_index, sequence_number, item: { ...call, name } });
  const argumentsDone = (output_index: number, sequence_number: number) =>
    JSON.stringify({ type: 'response.function_call_arguments.done', output_index, sequence_number, arguments: '{}' });
  const created = (sequence_number: number) =>
    JSON.stringify({ type: 'response.created', sequence_number, response: { id: THEIRS } });
  const open = () => frameEvents({ id: OURS, background: false, after: null, runs: (name) => name === 'ours' });
  const made = { id: 'mcp_1', type: 'mcp_call', name: 'ours', arguments: '{}', output: '7', error: null };

  it('are told as the server’s when they have been made, and what follows has its place after them', () => {
    const frames = open();
    frames.frame('response.created', created(0));
    expect(frames.frame('response.output_item.added', added('ours', 0, 1))).toEqual({ kind: 'known' });
    expect(frames.frame('response.function_call_arguments.done', argumentsDone(0, 2))).toEqual({ kind: 'known' });
    expect(frames.frame('response.completed', created(3)).kind).toBe('end');
    const told = frames.goOn([made]).map(({ frame }) => parsed(frame));
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, index) => index + 1));
    expect([told[0]?.type, told.at(-1)?.type]).toEqual(['response.output_item.added', 'response.output_item.done']);
    expect(told.at(-1)).toMatchObject({ output_index: 0, item: made });
    expect(frames.frame('response.created', created(0))).toEqual({ kind: 'known' });
    const next = frames.frame('response.output_item.added', added('theirs', 0, 1));
    if (next.kind !== 'frame') throw new Error(next.kind);
    expect(parsed(next.frame)).toMatchObject({ output_index: 1, sequence_number: told.length + 1 });
  });

  it('are told as they came where they are the client’s to make after all', () => {
    const frames = open();
    frames.frame('response.created', created(0));
    frames.frame('response.output_item.added', added('ours', 0, 1));
    frames.frame('response.function_call_arguments.done', argumentsDone(0, 2));
    const other = frames.frame('response.output_item.added', added('theirs', 1, 3));
    if (other.kind !== 'frame') throw new Error(other.kind);
    expect(parsed(other.frame)).toMatchObject({ sequence_number: 1, output_index: 1 });
    expect(frames.frame('response.completed', created(4)).kind).toBe('end');
    const { frames: held, sequence } = frames.end();
    expect(held.map(({ frame }) => parsed(frame))).toMatchObject([
      { type: 'response.output_item.added', sequence_number: 2, output_index: 0 },
      { type: 'response.function_call_arguments.done', sequence_number: 3, output_index: 0 },
    ]);
    expect(sequence).toBe(4);
  });
});
