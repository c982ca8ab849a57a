/** The messages of a chat as the input items of a response that says the same. */
import { isObject, type JsonObject } from '../json.ts';
import { describeType } from '../request/fields.ts';
import { badParameter } from '../request/refused.ts';

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];

function missing(param: string) {
  return badParameter(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
}

function partOf(part: unknown, role: string, param: string): JsonObject {
  if (!isObject(part)) {
    throw badParameter(
      `Invalid type for '${param}': expected an object, but got ${describeType(part)} instead.`,
      param,
      'invalid_type',
    );
  }
  switch (part.type) {
    case 'text':
      if (typeof part.text !== 'string') throw missing(`${param}.text`);
      return { type: role === 'assistant' ? 'output_text' : 'input_text', text: part.text };
    case 'refusal':
      return { type: 'refusal', refusal: part.refusal };
    case 'image_url': {
      const image = isObject(part.image_url) ? part.image_url : {};
      if (typeof image.url !== 'string') throw missing(`${param}.image_url.url`);
      return { type: 'input_image', image_url: image.url, detail: image.detail ?? 'auto' };
    }
    case 'input_audio':
      return { type: 'input_audio', input_audio: part.input_audio };
    case 'file':
      return { type: 'input_file', ...(isObject(part.file) ? part.file : {}) };
    default:
      throw badParameter(`Invalid value: '${String(part.type)}'.`, `${param}.type`, 'invalid_value');
  }
}

function contentOf(content: unknown, role: string, param: string): string | JsonObject[] {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map((part, index) => partOf(part, role, `${param}[${index}]`));
  throw badParameter(
    `Invalid value for 'content': expected a string, got ${describeType(content ?? null)}.`,
    param,
    'invalid_value',
  );
}

function callOf(call: unknown, param: string): JsonObject {
  const known = isObject(call) ? call : {};
  const called = isObject(known.function) ? known.function : known.custom;
  if (typeof known.id !== 'string') throw missing(`${param}.id`);
  if (!isObject(called)) throw missing(`${param}.function`);
  if (known.type === 'custom') {
    return { type: 'custom_tool_call', call_id: known.id, name: called.name, input: called.input };
  }
  return { type: 'function_call', call_id: known.id, name: called.name, arguments: called.arguments };
}

function assistantItems(message: JsonObject, param: string): JsonObject[] {
  const { content, refusal, tool_calls: calls } = message;
  const items: JsonObject[] = [];
  const has = (value: unknown) => value !== undefined && value !== null && value !== '';
  const given = Array.isArray(calls) ? calls : [];
  if (has(content) || (!has(refusal) && given.length === 0)) {
    items.push({ role: 'assistant', content: contentOf(content, 'assistant', `${param}.content`) });
  }
  if (has(refusal)) items.push({ role: 'assistant', content: [{ type: 'refusal', refusal }] });
  return [...items, ...given.map((call, index) => callOf(call, `${param}.tool_calls[${index}]`))];
}

function itemsOf(message: unknown, param: string): JsonObject[] {
  const known = isObject(message) ? message : {};
  const { role } = known;
  if (typeof role !== 'string' || !ROLES.includes(role)) {
    const supported = ROLES.map((name) => `'${name}'`).join(', ');
    throw badParameter(
      `Invalid value: '${String(role)}'. Supported values are: ${supported}.`,
      `${param}.role`,
      'invalid_value',
    );
  }
  if (role === 'assistant') return assistantItems(known, param);
  const content = contentOf(known.content, role, `${param}.content`);
  if (role !== 'tool') return [{ role, content }];
  if (typeof known.tool_call_id !== 'string') throw missing(`${param}.tool_call_id`);
  return [{ type: 'function_call_output', call_id: known.tool_call_id, output: content }];
}

/** The items of `messages`. Throws a RefusedRequest for what is no message. */
export function inputOf(messages: unknown): JsonObject[] {
  if (messages === undefined || messages === null) throw missing('messages');
  if (!Array.isArray(messages)) {
    throw badParameter(
      `Invalid type for 'messages': expected an array of objects, but got ${describeType(messages)} instead.`,
      'messages',
      'invalid_type',
    );
  }
  if (messages.length === 0) {
    throw badParameter(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    );
  }
  return messages.flatMap((message, index) => itemsOf(message, `messages[${index}]`));
}
