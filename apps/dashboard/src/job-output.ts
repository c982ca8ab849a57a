/** What a job was answered: its text, its value as a tree, and where that misses the schema it was asked for. */
import { type Answer, type Job, type Miss, parseGuardedJson } from '@millrace/core';
import { schemaMisses } from '@millrace/upstream';
import { CHECKED_CHARACTERS, TREE_CHARACTERS, TURN_PARTS_SHOWN } from './bounds.ts';
import { chatItem, cut, type Room } from './chat-of.ts';
import type { OutputView } from './views/job.ts';

export function outputOf(
  answer: Answer,
  schema: { schema: Record<string, unknown> } | null,
  job: Job,
  room: Room,
): OutputView {
  const { output_text: text, response } = answer;
  const value = text.length <= CHECKED_CHARACTERS ? structured(text) : null;
  const checked = schema === null ? { misses: [], unchecked: null } : check(schema.schema, value, text);
  const items: unknown[] = Array.isArray(response.output) ? response.output : [];
  const others = items.filter((item) => (item as { type?: unknown } | null)?.type !== 'message');
  return {
    text: cut(text, room),
    value: value !== null && text.length <= TREE_CHARACTERS ? value : null,
    ...checked,
    incomplete: job.status === 'incomplete' ? (response.incomplete_details?.reason ?? 'unknown') : null,
    items: others.slice(0, TURN_PARTS_SHOWN).map((item) => chatItem(item, room)),
    items_omitted: Math.max(0, others.length - TURN_PARTS_SHOWN),
  };
}

function check(
  schema: Record<string, unknown>,
  value: { json: unknown } | null,
  text: string,
): { misses: Miss[]; unchecked: string | null } {
  if (text.length > CHECKED_CHARACTERS) return { misses: [], unchecked: 'it is too large to be checked here' };
  if (value === null) return { misses: [{ path: '', problem: 'the answer is no JSON' }], unchecked: null };
  const misses = schemaMisses(schema, value.json, text.length);
  return 'fault' in misses ? { misses: [], unchecked: 'its schema does not compile' } : { misses, unchecked: null };
}

/** Text that is an object or an array; a number or a word is better read as it is. */
function structured(text: string): { json: unknown } | null {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return { json: parseGuardedJson(text) };
  } catch {
    // Free text that begins with a bracket, or what is nested too deeply to be walked.
    return null;
  }
}
