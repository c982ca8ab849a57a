/**
 * Messages become input items, in their order and under their roles. System and developer messages stay messages and
 * do not become `instructions`: there may be several, anywhere, in parts, and JSON mode looks for the word "json" in
 * messages only.
 */

import {
  invalidType,
  invalidValue,
  type JsonObject,
  missingParameter,
  pathTo,
  supportedValues,
  unknownParameter,
} from '../responses-request-fault.ts';
import { answeredContentOf, sentContentOf } from './content-parts-of.ts';
import { unsupported } from './no-counterpart.ts';
import { requireArrayIn, requireObject, requireObjectIn, requireStringIn } from './require-field.ts';

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];

/** What clients send back with an answer they got, and the model never reads. */
const ECHOED_FIELDS = [
  'annotations',
  'name',
  'parsed',
  'provider_specific_fields',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'thinking_blocks',
];

const SENT_FIELDS: ReadonlySet<string> = new Set(['role', 'content', 'name']);
const ANSWERED_FIELDS: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'function_call',
  'audio',
  ...ECHOED_FIELDS,
]);
/** A tool's `name` says nothing its call does not. */
const TOOL_FIELDS: ReadonlySet<string> = new Set(['role', 'content', 'tool_call_id', 'name']);

const NAME_REMEDY = 'The Responses API knows no names of participants; write the name into the text.';
const AUDIO_REMEDY = 'The Responses API has no audio of earlier answers; send its transcript as content.';

/** What later messages need to know of earlier ones. */
interface Calls {
  /** Ids of calls to custom tools: their outputs are items of another type. */
  custom: Set<string>;
  /** Deprecated function calls that were not answered yet; these have no ids of their own. */
  unanswered: { name: string; callId: string }[];
}

/** @throws InvalidRequestError for the first message that cannot be converted; `path` is that of the list. */
export function inputItemsOf(messages: readonly unknown[], path: string): JsonObject[] {
  const calls: Calls = { custom: new Set(), unanswered: [] };
  return messages.flatMap((value, index) => {
    const messagePath = pathTo(path, index);
    const message = requireObject(value, messagePath);
    const role = requireStringIn(message, 'role', messagePath);
    switch (role) {
      case 'system':
      case 'developer':
      case 'user':
        return [sentMessageOf(message, role, messagePath)];
      case 'assistant':
        return answerItemsOf(message, index, calls, messagePath);
      case 'tool':
        return [toolOutputOf(message, calls, messagePath)];
      case 'function':
        return [functionOutputOf(message, calls, messagePath)];
      default:
        throw invalidValue(pathTo(messagePath, 'role'), role, supportedValues(ROLES));
    }
  });
}

function refuseUnknown(message: JsonObject, known: ReadonlySet<string>, path: string): void {
  for (const [field, value] of Object.entries(message)) {
    if (value !== null && !known.has(field)) throw unknownParameter(pathTo(path, field));
  }
}

function sentMessageOf(message: JsonObject, role: string, path: string): JsonObject {
  refuseUnknown(message, SENT_FIELDS, path);
  if (message.name != null) throw unsupported(pathTo(path, 'name'), NAME_REMEDY);
  return { role, content: sentContentOf(message.content, pathTo(path, 'content')) };
}

/** The message, where it says something, and then its calls. */
function answerItemsOf(message: JsonObject, index: number, calls: Calls, path: string): JsonObject[] {
  refuseUnknown(message, ANSWERED_FIELDS, path);
  if (message.audio != null) throw unsupported(pathTo(path, 'audio'), AUDIO_REMEDY);
  const callItems = callItemsOf(message, index, calls, path);
  const content = message.content == null ? undefined : answeredContentOf(message.content, pathTo(path, 'content'));
  const refusal = refusalPartsOf(message, path);
  if (refusal.length > 0) {
    const spoken = typeof content === 'string' ? textParts(content) : (content ?? []);
    return [{ role: 'assistant', content: [...spoken, ...refusal] }, ...callItems];
  }
  if (content === undefined && callItems.length === 0) {
    throw missingParameter(
      pathTo(path, 'content'),
      "An assistant message has 'content', 'refusal' or 'tool_calls', or several of them.",
    );
  }
  // Beside calls, clients send empty content as null, '' or [].
  if (content === undefined || (content.length === 0 && callItems.length > 0)) return callItems;
  return [{ role: 'assistant', content }, ...callItems];
}

/** Clients send a refusal that was none as null or ''. */
function refusalPartsOf(message: JsonObject, path: string): JsonObject[] {
  if (message.refusal == null || message.refusal === '') return [];
  return [{ type: 'refusal', refusal: requireStringIn(message, 'refusal', path) }];
}

function textParts(text: string): JsonObject[] {
  return text === '' ? [] : [{ type: 'output_text', text, annotations: [] }];
}

function callItemsOf(message: JsonObject, index: number, calls: Calls, path: string): JsonObject[] {
  const items: JsonObject[] = [];
  if (message.tool_calls != null) {
    const listPath = pathTo(path, 'tool_calls');
    for (const [nth, call] of requireArrayIn(message, 'tool_calls', path).entries()) {
      const callPath = pathTo(listPath, nth);
      items.push(toolCallOf(requireObject(call, callPath), calls, callPath));
    }
  }
  if (message.function_call != null) {
    const call = requireObjectIn(message, 'function_call', path);
    const callPath = pathTo(path, 'function_call');
    const name = requireStringIn(call, 'name', callPath);
    // Made of its place alone: the same conversation is the same request, for caches and idempotency.
    const callId = `call_${index}`;
    calls.unanswered.push({ name, callId });
    const args = requireStringIn(call, 'arguments', callPath);
    items.push({ type: 'function_call', call_id: callId, name, arguments: args });
  }
  return items;
}

function toolCallOf(call: JsonObject, calls: Calls, path: string): JsonObject {
  const callId = requireStringIn(call, 'id', path);
  // Some clients leave the type out; before custom tools there was only one.
  const type = call.type ?? 'function';
  if (type === 'function') {
    const called = requireObjectIn(call, 'function', path);
    const calledPath = pathTo(path, 'function');
    return {
      type: 'function_call',
      call_id: callId,
      name: requireStringIn(called, 'name', calledPath),
      arguments: requireStringIn(called, 'arguments', calledPath),
    };
  }
  if (type === 'custom') {
    calls.custom.add(callId);
    const called = requireObjectIn(call, 'custom', path);
    const calledPath = pathTo(path, 'custom');
    return {
      type: 'custom_tool_call',
      call_id: callId,
      name: requireStringIn(called, 'name', calledPath),
      input: requireStringIn(called, 'input', calledPath),
    };
  }
  throw invalidValue(pathTo(path, 'type'), type, supportedValues(['function', 'custom']));
}

function toolOutputOf(message: JsonObject, calls: Calls, path: string): JsonObject {
  refuseUnknown(message, TOOL_FIELDS, path);
  const callId = requireStringIn(message, 'tool_call_id', path);
  const output = sentContentOf(message.content, pathTo(path, 'content'));
  return {
    type: calls.custom.has(callId) ? 'custom_tool_call_output' : 'function_call_output',
    call_id: callId,
    output,
  };
}

function functionOutputOf(message: JsonObject, calls: Calls, path: string): JsonObject {
  refuseUnknown(message, SENT_FIELDS, path);
  const name = requireStringIn(message, 'name', path);
  const at = calls.unanswered.findIndex((call) => call.name === name);
  const [call] = at === -1 ? [] : calls.unanswered.splice(at, 1);
  if (call === undefined) {
    throw invalidValue(
      pathTo(path, 'name'),
      name,
      "A message of the role 'function' answers the 'function_call' of an assistant message before it.",
    );
  }
  const output = message.content ?? '';
  if (typeof output !== 'string') throw invalidType(pathTo(path, 'content'), 'a string', output);
  return { type: 'function_call_output', call_id: call.callId, output };
}
