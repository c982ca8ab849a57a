/**
 * An upstream's stream events as this job's: our id in place of the upstream's, numbers that begin at 0 and leave none
 * out. All else stays as it came, and what needs no change is not parsed.
 */

/** The events that carry the whole response. */
const WITH_RESPONSE: ReadonlySet<string> = new Set(['response.created', 'response.queued', 'response.in_progress']);
const TERMINAL: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** Inside a JSON string the quotes would be escaped, so only a name can match. */
const SEQUENCE_NUMBER = /"sequence_number":\s?(\d{1,15})\b/;

/** Whether the event says that it has this number: the quick look, for the usual case. */
function isNumbered(data: string, sequence: number): boolean {
  const said = `"sequence_number":${sequence},`;
  return data.includes(said);
}

export type Framed =
  /** As it goes over the wire. */
  | { kind: 'frame'; sequence: number; frame: string }
  /** The event that ends the stream. */
  | { kind: 'end'; sequence: number }
  /** It was there already: some upstreams begin from the start again when they are asked to go on. */
  | { kind: 'known' };

export interface FrameTerms {
  /** Our id. */
  id: string;
  /** As the client asked, whichever way the upstream was called. */
  background: boolean;
  /** Sequence number of the last event that is stored; null: none is. */
  after: number | null;
}

/** What frames one answer's events, in their order. */
export function frameEvents({ id, background, after }: FrameTerms): (type: string, data: string) => Framed {
  let next = after === null ? 0 : after + 1;
  /** How much higher the upstream counts. */
  let ahead: number | null = after === null ? null : 0;
  let upstreamId: string | null = null;

  const respond = (data: string): string => {
    try {
      const event = JSON.parse(data);
      if (typeof event.response?.id !== 'string') return data;
      upstreamId = event.response.id;
      event.response.id = id;
      if (typeof event.response.background === 'boolean') event.response.background = background;
      return JSON.stringify(event);
    } catch {
      // Passed on as it is: whoever reads along sees what the upstream sent.
      return data;
    }
  };

  return (type, data) => {
    const told = ahead === 0 && isNumbered(data, next) ? String(next) : SEQUENCE_NUMBER.exec(data)?.[1];
    if (told !== undefined) {
      ahead ??= Number(told) - next;
      if (Number(told) - ahead < next) return { kind: 'known' };
      // Left some out: what is passed on leaves none out.
      ahead = Number(told) - next;
    }
    const sequence = next++;
    if (TERMINAL.has(type)) return { kind: 'end', sequence };
    let text = WITH_RESPONSE.has(type) ? respond(data) : data;
    if (upstreamId !== null && text.includes(upstreamId)) text = text.replaceAll(`"${upstreamId}"`, `"${id}"`);
    if (told === undefined) text = text.replace('{', `{"sequence_number":${sequence},`);
    else if (ahead !== 0) text = text.replace(SEQUENCE_NUMBER, `"sequence_number":${sequence}`);
    // White space between JSON's tokens; inside its strings there is no line break.
    if (text.includes('\n')) text = text.replaceAll('\n', ' ');
    return { kind: 'frame', sequence, frame: `event: ${type}\ndata: ${text}\n\n` };
  };
}
