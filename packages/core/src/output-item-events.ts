/**
 * The events by which one finished output item would have come in a stream: what a reader rebuilds from them is the
 * item. Each builder returns what stands between output_item.added and output_item.done, and how the item looked when
 * it was added. An item of a type this file does not know is added and done, nothing more.
 */

/** An event before it has its number. */
export interface UnnumberedEvent {
  type: string;
  [field: string]: unknown;
}

type Fields = Record<string, unknown>;

/** An output item of a known type, with the id that every event about it names. */
interface Item extends Fields {
  id: string;
}

/** What is different about the item while it is empty, and the events that fill it. */
interface Filling {
  empty: Fields;
  events: UnnumberedEvent[];
}

/** Where an event belongs. */
type Place = {
  item_id: string;
  output_index: number;
};

/** All events of the item at `index` of a response's output, in order. */
export function eventsOfItem(item: unknown, index: number): UnnumberedEvent[] {
  const done = { type: 'response.output_item.done', output_index: index, item };
  const filling = isFillable(item) ? FILLINGS[item.type]?.(item, { item_id: item.id, output_index: index }) : undefined;
  const added = { type: 'response.output_item.added', output_index: index };
  if (filling === undefined) return [{ ...added, item: unfinished(item) }, done];
  return [{ ...added, item: { ...unfinished(item), ...filling.empty } }, ...filling.events, done];
}

const FILLINGS: Readonly<Record<string, (item: Item, place: Place) => Filling>> = {
  // By its own names only: a type called `constructor` is an unknown one.
  __proto__: null as never,

  message: (item, place) => ({
    empty: { content: [] },
    events: list(item.content).flatMap((part, content_index) => eventsOfPart(part, { ...place, content_index })),
  }),

  reasoning: (item, place) => ({
    // The blob changes while the model thinks; its last form comes with the finished item.
    empty: { summary: [], ...(Array.isArray(item.content) ? { content: [] } : {}), encrypted_content: undefined },
    events: [
      ...list(item.summary).flatMap((part, summary_index) => eventsOfSummary(part, { ...place, summary_index })),
      ...list(item.content).flatMap((part, content_index) => eventsOfPart(part, { ...place, content_index })),
    ],
  }),

  function_call: (item, place) => ({
    empty: { arguments: '' },
    events: written('response.function_call_arguments', 'arguments', item.arguments, place),
  }),

  custom_tool_call: (item, place) => ({
    empty: { input: '' },
    events: written('response.custom_tool_call_input', 'input', item.input, place),
  }),

  code_interpreter_call: (item, place) => ({
    empty: { code: '', outputs: null },
    events: [
      { type: 'response.code_interpreter_call.in_progress', ...place },
      ...written('response.code_interpreter_call_code', 'code', item.code, place),
      { type: 'response.code_interpreter_call.interpreting', ...place },
      ...completed('response.code_interpreter_call', item, place),
    ],
  }),

  web_search_call: (item, place) => ({ empty: {}, events: search('response.web_search_call', item, place) }),

  file_search_call: (item, place) => ({
    empty: { queries: [], results: null },
    events: search('response.file_search_call', item, place),
  }),

  image_generation_call: (item, place) => ({
    empty: { result: null },
    events: [
      { type: 'response.image_generation_call.in_progress', ...place },
      { type: 'response.image_generation_call.generating', ...place },
      ...completed('response.image_generation_call', item, place),
    ],
  }),

  mcp_call: (item, place) => ({
    empty: { arguments: '', output: null, error: null },
    events: [
      { type: 'response.mcp_call.in_progress', ...place },
      ...written('response.mcp_call_arguments', 'arguments', item.arguments, place),
      { type: `response.mcp_call.${item.error == null && hasEndedWell(item) ? 'completed' : 'failed'}`, ...place },
    ],
  }),

  mcp_list_tools: (item, place) => ({
    empty: { tools: [], error: null },
    events: [
      { type: 'response.mcp_list_tools.in_progress', ...place },
      { type: `response.mcp_list_tools.${item.error == null ? 'completed' : 'failed'}`, ...place },
    ],
  }),
};

/** The events of one content part: of a message or of a reasoning item that shows its text. */
function eventsOfPart(part: unknown, place: Place & { content_index: number }): UnnumberedEvent[] {
  const added = (empty: unknown): UnnumberedEvent => ({ type: 'response.content_part.added', ...place, part: empty });
  const done = { type: 'response.content_part.done', ...place, part };
  if (!isObject(part)) return [added(part), done];
  switch (part.type) {
    case 'output_text': {
      const logprobs = list(part.logprobs);
      const type = 'response.output_text';
      return [
        added({ ...part, text: '', annotations: [], ...(part.logprobs === undefined ? {} : { logprobs: [] }) }),
        ...(isText(part.text) ? [{ type: `${type}.delta`, ...place, delta: part.text, logprobs }] : []),
        ...list(part.annotations).map((annotation, annotation_index) => ({
          type: `${type}.annotation.added`,
          ...place,
          annotation_index,
          annotation,
        })),
        { type: `${type}.done`, ...place, text: part.text ?? '', logprobs },
        done,
      ];
    }
    case 'refusal':
      return [added({ ...part, refusal: '' }), ...written('response.refusal', 'refusal', part.refusal, place), done];
    case 'reasoning_text':
      return [added({ ...part, text: '' }), ...written('response.reasoning_text', 'text', part.text, place), done];
    default:
      return [added(part), done];
  }
}

function eventsOfSummary(part: unknown, place: Place & { summary_index: number }): UnnumberedEvent[] {
  const text = isObject(part) ? part.text : undefined;
  return [
    { type: 'response.reasoning_summary_part.added', ...place, part: isObject(part) ? { ...part, text: '' } : part },
    ...written('response.reasoning_summary_text', 'text', text, place),
    { type: 'response.reasoning_summary_part.done', ...place, part },
  ];
}

/** A text that grew: one delta with the whole of it (none for an empty text), then the text itself under `field`. */
function written(type: string, field: string, text: unknown, place: Fields): UnnumberedEvent[] {
  return [
    ...(isText(text) ? [{ type: `${type}.delta`, ...place, delta: text }] : []),
    { type: `${type}.done`, ...place, [field]: text ?? '' },
  ];
}

function search(type: string, item: Item, place: Place): UnnumberedEvent[] {
  return [
    { type: `${type}.in_progress`, ...place },
    { type: `${type}.searching`, ...place },
    ...completed(type, item, place),
  ];
}

/** These tools have no event for a failure: the finished item's status tells it. */
function completed(type: string, item: Item, place: Place): UnnumberedEvent[] {
  return hasEndedWell(item) ? [{ type: `${type}.completed`, ...place }] : [];
}

function hasEndedWell(item: Item): boolean {
  return item.status === undefined || item.status === 'completed';
}

/** The item before it ended; only what has a status has one that changes. */
function unfinished(item: unknown): Fields {
  if (!isObject(item)) return item as Fields;
  return 'status' in item ? { ...item, status: 'in_progress' } : item;
}

/** Events about an item name it by its id: without one it can only be added and done. */
function isFillable(item: unknown): item is Item & { type: string } {
  return isObject(item) && typeof item.type === 'string' && isText(item.id);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
