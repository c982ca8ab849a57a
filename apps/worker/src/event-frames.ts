/**
 * An upstream's stream events as this job's: our id in place of the upstream's, numbers that begin at 0 and leave none
 * out. All else stays as it came, and nothing is parsed for that.
 */

import { eventsOfItem } from '@millrace/core';

/** The events that carry the whole response. */
const WITH_RESPONSE: ReadonlySet<string> = new Set(['response.created', 'response.queued', 'response.in_progress']);
const TERMINAL: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** Inside a JSON string the quotes would be escaped, so only a name can match. */
const SEQUENCE_NUMBER = /"sequence_number":\s?(\d{1,15})\b/;
/** Of an event; an item inside it has none. */
const OUTPUT_INDEX = /"output_index":\s?(\d{1,6})\b/;
const RESPONSE = '"response":';
const RESPONSE_ID = /"response":\s?\{\s?"id":\s?"([^"\\]+)"/;
const BACKGROUND = /"background":\s?(?:true|false)\b/g;

export type Framed =
  /** As it goes over the wire. */
  | { kind: 'frame'; sequence: number; frame: string }
  /** The event that ends the call; where it is the last one, `end` says with what the stream ends. */
  | { kind: 'end' }
  /** It was there already: some upstreams begin from the start again when they are asked to go on. */
  | { kind: 'known' };

export type Told = Extract<Framed, { kind: 'frame' }>;

/** One for all the many events before which nothing stands. */
const NONE: Told[] = [];

export interface FrameTerms {
  /** Our id. */
  id: string;
  /** As the client asked, whichever way the upstream was called. */
  background: boolean;
  /** Sequence number of the last event that is stored, which is the upstream's too; null: none is. */
  after: number | null;
  /** The response it goes on from, as the client knows it and as the upstream does. */
  previous?: PreviousIds | null;
  /** Items of earlier calls as the client is told them, before this one's: their events were another attempt's. */
  said?: readonly unknown[];
  /** Whether workers run a function: its calls are told when they have been made, as the server's. */
  runs?: (name: string) => boolean;
}

export interface PreviousIds {
  ours: string;
  /** null: it was not named to the upstream. */
  upstreams: string | null;
}

export interface Frames {
  frame(type: string, data: string): Framed;
  /** Events that stand before the next one: those of `said`, once the response has begun. */
  before(type: string): Told[];
  /**
   * The job takes another call, whose events are told as those of the same response.
   * @param items all that the client is told of the response so far
   * @returns the events of those that no call told
   */
  goOn(items: readonly unknown[]): Told[];
  /** It takes no other: calls that are the client's to make after all, and the number of the event that ends the stream. */
  end(): { frames: Told[]; sequence: number };
  /** The upstream numbers its events as we do: it can be asked to go on after one of ours. */
  alike(): boolean;
}

/** What frames one answer's events, in their order. */
export function frameEvents({
  id,
  background,
  after,
  previous = null,
  said = [],
  runs = () => false,
}: FrameTerms): Frames {
  let next = after === null ? 0 : after + 1;
  /** How much higher the upstream counts; null until it told a number. */
  let ahead: number | null = after === null ? null : 0;
  /** Where a stream without numbers stands. */
  let unnumbered = next;
  let alike = true;
  /** `"response_id":"<the upstream's>"`, as some of OpenAI's events of other kinds have it. */
  let reference: string | null = null;
  /** Not told yet. */
  let untold = said;
  /** Items that the response has of earlier calls. */
  let outputs = 0;
  /** Its beginning was told with an earlier call. */
  let begun = false;
  /** Events of calls that are told otherwise once they are made, by the place of their item in the call's output. */
  let held = new Map<number, { type: string; data: string }[]>();

  const tell = (item: unknown, index: number): Told[] =>
    eventsOfItem(item, index).map(({ type, ...fields }) => {
      const sequence = next++;
      const text = JSON.stringify({ type, sequence_number: sequence, ...fields });
      return { kind: 'frame', sequence, frame: `event: ${type}\ndata: ${text}\n\n` };
    });

  /** The number that the upstream's event has among ours, which is `next` or one that was there already. */
  const place = (type: string, told: number | null): number => {
    if (told === null) {
      alike = false;
      if (type === 'response.created') unnumbered = 0;
      return unnumbered++;
    }
    ahead ??= told - next;
    // Left some out: what is passed on leaves none out.
    if (told - ahead > next) ahead = told - next;
    if (ahead !== 0) alike = false;
    return told - ahead;
  };

  /** The frame of an upstream's event under our number. */
  const pass = (type: string, data: string, sequence: number, digits: string | undefined): Told => {
    let text =
      outputs === 0 ? data : data.replace(OUTPUT_INDEX, (_, index) => `"output_index":${Number(index) + outputs}`);
    if (WITH_RESPONSE.has(type)) {
      const named = asOurs(data, id, background);
      text = previous === null ? named.text : withOurPrevious(named.text, previous);
      if (named.upstreamId !== null) reference = `"response_id":"${named.upstreamId}"`;
    } else if (reference !== null && text.includes(reference)) {
      text = text.replaceAll(reference, `"response_id":"${id}"`);
    }
    if (digits === undefined) text = text.replace('{', `{"sequence_number":${sequence},`);
    else if (digits !== String(sequence)) text = text.replace(SEQUENCE_NUMBER, `"sequence_number":${sequence}`);
    // White space between JSON's tokens; inside its strings there is no line break.
    if (text.includes('\n')) text = text.replaceAll('\n', ' ');
    return { kind: 'frame', sequence, frame: `event: ${type}\ndata: ${text}\n\n` };
  };

  const isHeld = (type: string, data: string): boolean => {
    const begins = heldCall(type, data, runs);
    if (begins !== null) held.set(begins, []);
    if (held.size === 0) return false;
    const events = held.get(Number(OUTPUT_INDEX.exec(data)?.[1] ?? -1));
    events?.push({ type, data });
    return events !== undefined;
  };

  return {
    alike: () => alike,
    before: (type) => {
      if (untold.length === 0 || WITH_RESPONSE.has(type)) return NONE;
      const frames = untold.flatMap(tell);
      outputs = untold.length;
      untold = [];
      [ahead, alike] = [null, false];
      return frames;
    },
    goOn: (items) => {
      const frames = [...held.keys()].flatMap((place) => tell(items[outputs + place], outputs + place));
      [outputs, begun, ahead, alike, reference] = [items.length, true, null, false, null];
      held = new Map();
      unnumbered = next;
      return frames;
    },
    end: () => {
      const events = [...held.values()].flat();
      held = new Map();
      return {
        frames: events.map(({ type, data }) => pass(type, data, next++, SEQUENCE_NUMBER.exec(data)?.[1])),
        sequence: next,
      };
    },
    frame: (type, data) => {
      if (begun && WITH_RESPONSE.has(type)) {
        const { upstreamId } = asOurs(data, id, background);
        if (upstreamId !== null) reference = `"response_id":"${upstreamId}"`;
        return { kind: 'known' };
      }
      if (isHeld(type, data)) return { kind: 'known' };
      // The quick look is for the usual case.
      const digits = data.includes(`"sequence_number":${next},`) ? String(next) : SEQUENCE_NUMBER.exec(data)?.[1];
      if (place(type, digits === undefined ? null : Number(digits)) < next) return { kind: 'known' };
      if (TERMINAL.has(type)) return { kind: 'end' };
      const sequence = next++;
      unnumbered = next;
      return pass(type, data, sequence, digits);
    },
  };
}

/** A call of a function that workers run, as its first event tells of it; null for any other event. */
function heldCall(type: string, data: string, runs: (name: string) => boolean): number | null {
  if (type !== 'response.output_item.added' || !data.includes('"function_call"')) return null;
  try {
    const { output_index, item } = JSON.parse(data);
    return item?.type === 'function_call' && runs(String(item.name)) ? output_index : null;
  } catch {
    // Passed on as it is: whoever reads along sees what the upstream sent.
    return null;
  }
}

/** An event whose response has our id, and the `background` that the client asked for. */
function asOurs(data: string, id: string, background: boolean): { text: string; upstreamId: string | null } {
  const found = RESPONSE_ID.exec(data);
  // Where its first field is its id, as everywhere: else the name may be one further inside.
  if (found === null || data.indexOf(RESPONSE) !== found.index) return parsedAsOurs(data, id, background);
  const upstreamId = found[1] as string;
  const end = found.index + found[0].length;
  const text = `${data.slice(0, end - upstreamId.length - 1)}${id}${data.slice(end - 1)}`;
  const told = text.match(BACKGROUND);
  if (told === null || told.every((one) => one.endsWith(String(background)))) return { text, upstreamId };
  // A schema may have a property of that name.
  if (told.length > 1) return parsedAsOurs(data, id, background);
  return { text: text.replace(BACKGROUND, `"background":${background}`), upstreamId };
}

/** Inside a string the quotes would be escaped. */
function withOurPrevious(data: string, { ours, upstreams }: PreviousIds): string {
  if (upstreams === null && !data.includes('"previous_response_id"')) return parsedWithPrevious(data, ours);
  return [':', ': '].reduce(
    (text, colon) =>
      text.replaceAll(
        `"previous_response_id"${colon}${JSON.stringify(upstreams)}`,
        `"previous_response_id"${colon}"${ours}"`,
      ),
    data,
  );
}

/** Some servers that remember nothing tell no such field. */
function parsedWithPrevious(data: string, ours: string): string {
  try {
    const event = JSON.parse(data);
    return JSON.stringify({ ...event, response: { ...event.response, previous_response_id: ours } });
  } catch {
    // Passed on as it is: whoever reads along sees what the upstream sent.
    return data;
  }
}

function parsedAsOurs(data: string, id: string, background: boolean): { text: string; upstreamId: string | null } {
  try {
    const event = JSON.parse(data);
    if (typeof event.response?.id !== 'string') return { text: data, upstreamId: null };
    const upstreamId = event.response.id;
    event.response.id = id;
    if (typeof event.response.background === 'boolean') event.response.background = background;
    return { text: JSON.stringify(event), upstreamId };
  } catch {
    // Passed on as it is: whoever reads along sees what the upstream sent.
    return { text: data, upstreamId: null };
  }
}
