/**
 * Names that other APIs (above all Chat Completions) use and guides repeat are refused with the name that is right
 * here, so that a wrong guide costs one try. The table first, the walk below it.
 */

import {
  invalidType,
  invalidValue,
  isJsonObject,
  type JsonObject,
  pathTo,
  unknownParameter,
} from './responses-request-fault.ts';

const calls = (name: string) => `The Responses API calls this '${name}'.`;
const lacks = (what: string) =>
  `The Responses API has no ${what}; if your upstream takes it, list it in the upstream's extraFields.`;

/** Top-level field → what to say about it. */
export const FIELD_HINTS: ReadonlyMap<string, string> = new Map([
  ['messages', calls('input')],
  ['system', calls('instructions')],
  ['response_format', calls('text.format')],
  ['verbosity', calls('text.verbosity')],
  ['reasoning_effort', calls('reasoning.effort')],
  ['reasoning_summary', calls('reasoning.summary')],
  ['max_tokens', calls('max_output_tokens')],
  ['max_completion_tokens', calls('max_output_tokens')],
  ['functions', calls('tools')],
  ['function_call', calls('tool_choice')],
  ['web_search_options', 'The Responses API searches with a tool: {"type": "web_search"} in \'tools\'.'],
  ['logprobs', "The Responses API takes 'message.output_text.logprobs' in 'include', and 'top_logprobs'."],
  ['n', 'The Responses API answers once; send one request for each answer.'],
  ['stop', lacks('stop sequences')],
  ['seed', lacks('seed')],
  ['presence_penalty', lacks('presence penalty')],
  ['frequency_penalty', lacks('frequency penalty')],
  ['logit_bias', lacks('logit bias')],
]);

/** Role of a message → what to say about it. */
const ROLE_HINTS: ReadonlyMap<unknown, string> = new Map([
  ['tool', 'The Responses API takes a tool\'s answer as an item {"type": "function_call_output", call_id, output}.'],
  [
    'function',
    'The Responses API takes a function\'s answer as an item {"type": "function_call_output", call_id, output}.',
  ],
  ['human', calls('user')],
  ['ai', calls('assistant')],
  ['model', calls('assistant')],
]);

/** Field of a message → what to say about it. */
const MESSAGE_HINTS: ReadonlyMap<string, string> = new Map([
  ['tool_calls', 'The Responses API takes each call as an item {"type": "function_call", call_id, name, arguments}.'],
  ['function_call', 'The Responses API takes a call as an item {"type": "function_call", call_id, name, arguments}.'],
]);

/** Type of a content part → its name in what is sent to the model, and in what the model had answered. */
const PART_HINTS: ReadonlyMap<unknown, { sent: string; answered: string }> = new Map([
  ['text', { sent: calls('input_text'), answered: calls('output_text') }],
  [
    'image_url',
    {
      sent: `${calls('input_image')} Its 'image_url' is the URL itself, a string.`,
      answered: "The Responses API takes no image in an assistant message; a user message takes an 'input_image'.",
    },
  ],
  [
    'file',
    {
      sent: `${calls('input_file')} Its 'file_id' or 'file_data' stand in the part itself.`,
      answered: "The Responses API takes no file in an assistant message; a user message takes an 'input_file'.",
    },
  ],
]);

const URL_HINT = 'The Responses API takes the URL itself, not {"url": …}.';
const FLAT_TOOL_HINT =
  'The Responses API takes a function\'s fields in the tool itself: {"type": "function", name, parameters, strict}.';
const FLAT_CHOICE_HINT = 'The Responses API takes {"type": "function", name}.';
const FLAT_FORMAT_HINT =
  'The Responses API takes its fields in the format itself: {"type": "json_schema", name, schema, strict}.';

/** Items whose `output` may be a list of content parts. */
const OUTPUT_ITEMS: ReadonlySet<unknown> = new Set(['function_call_output', 'custom_tool_call_output']);

/**
 * Looks for wrong names inside `input`, `tools`, `tool_choice` and `text.format`; whatever is not shaped as expected
 * is skipped, for others to judge. Top-level names are in FIELD_HINTS.
 *
 * @param at path of `request` in what the caller sent; empty for the whole.
 * @throws InvalidRequestError that names the right name.
 */
export function refuseWrongNames(request: JsonObject, at: string): void {
  const { input, tools, tool_choice: choice, text } = request;
  if (Array.isArray(input)) {
    const path = pathTo(at, 'input');
    for (const [index, item] of input.entries()) refuseInItem(item, pathTo(path, index));
  }
  if (Array.isArray(tools)) {
    const path = pathTo(at, 'tools');
    for (const [index, tool] of tools.entries()) refuseInTool(tool, pathTo(path, index));
  }
  if (isJsonObject(choice) && choice.type === 'function' && isJsonObject(choice.function)) {
    throw unknownParameter(pathTo(pathTo(at, 'tool_choice'), 'function'), FLAT_CHOICE_HINT);
  }
  if (isJsonObject(text) && isJsonObject(text.format) && text.format.json_schema !== undefined) {
    throw unknownParameter(pathTo(pathTo(at, 'text'), 'format.json_schema'), FLAT_FORMAT_HINT);
  }
}

function refuseInItem(item: unknown, path: string): void {
  if (!isJsonObject(item)) return;
  if (OUTPUT_ITEMS.has(item.type)) refuseInParts(item.output, false, pathTo(path, 'output'));
  if (item.type != null && item.type !== 'message') return;
  const roleHint = ROLE_HINTS.get(item.role);
  if (roleHint !== undefined) throw invalidValue(pathTo(path, 'role'), item.role, roleHint);
  for (const [field, hint] of MESSAGE_HINTS) {
    if (item[field] != null) throw unknownParameter(pathTo(path, field), hint);
  }
  refuseInParts(item.content, item.role === 'assistant', pathTo(path, 'content'));
}

function refuseInParts(parts: unknown, answered: boolean, path: string): void {
  if (!Array.isArray(parts)) return;
  for (const [index, part] of parts.entries()) {
    if (!isJsonObject(part)) continue;
    const partPath = pathTo(path, index);
    const hint = PART_HINTS.get(part.type);
    if (hint !== undefined) {
      throw invalidValue(pathTo(partPath, 'type'), part.type, answered ? hint.answered : hint.sent);
    }
    if (part.type === 'input_image' && isJsonObject(part.image_url)) {
      throw invalidType(pathTo(partPath, 'image_url'), 'a string', part.image_url, URL_HINT);
    }
  }
}

function refuseInTool(tool: unknown, path: string): void {
  if (!isJsonObject(tool)) return;
  if ((tool.type === 'function' || tool.type === undefined) && isJsonObject(tool.function)) {
    throw unknownParameter(pathTo(path, 'function'), FLAT_TOOL_HINT);
  }
  if (tool.type === 'file_search' && tool.file_ids !== undefined) {
    throw unknownParameter(pathTo(path, 'file_ids'), `${calls('vector_store_ids')} It takes vector stores, not files.`);
  }
}
