/** What a stream tells between the beginning and the end of a hosted tool's call. */
import type { HostedCall } from '../answer/answer.ts';
import { cutIntoDeltas } from '../answer/deltas.ts';
import type { Call } from './call.ts';
import { itemId } from './call.ts';
import type { StreamEvent } from './events.ts';
import { itemStatus, TEXT_FIELDS } from './response.ts';

/** The events' names differ from the tools': what the deltas are of, and what is said while the tool is at work. */
const NAMES: Record<HostedCall['tool'], { deltas?: string; working?: string; silent?: true }> = {
  web_search: { working: 'searching' },
  file_search: { working: 'searching' },
  code_interpreter: { deltas: 'response.code_interpreter_call_code', working: 'interpreting' },
  image_generation: { working: 'generating' },
  mcp: { deltas: 'response.mcp_call_arguments' },
  computer: { silent: true },
};

/** The events of item `index`, without those that add it and end it. */
export function hostedEvents(call: Call, item: HostedCall, index: number): StreamEvent[] {
  const { deltas, working, silent } = NAMES[item.tool];
  if (silent) return [];
  const place = { item_id: itemId(call, index), output_index: index };
  const step = (name: string): StreamEvent => ({ type: `response.${item.tool}_call.${name}`, ...place });
  const events = [step('in_progress')];
  const field = TEXT_FIELDS[item.tool];
  if (deltas && field) {
    for (const delta of cutIntoDeltas(item.text, call.streamEvents)) {
      events.push({ type: `${deltas}.delta`, ...place, delta });
    }
    events.push({ type: `${deltas}.done`, ...place, [field]: item.text });
  }
  // What was cut off never ran.
  if (itemStatus(call, index) === 'incomplete') return events;
  if (working) events.push(step(working));
  for (let image = 0; image < (item.partialImages ?? 0); image += 1) {
    const { background, output_format, quality, size } = item.fields;
    events.push({
      ...step('partial_image'),
      partial_image_index: image,
      partial_image_b64: item.result.result,
      ...{ background, output_format, quality, size },
    });
  }
  return [...events, step('completed')];
}
