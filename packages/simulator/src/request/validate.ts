/** A create request that passed: what OpenAI would refuse has been refused, with its words, parameter and code. */
import { isObject, type JsonObject } from '../json.ts';
import { checkField, describeType, ruleOf } from './fields.ts';
import { documentText, inputText } from './input-text.ts';
import { badParameter, RefusedRequest } from './refused.ts';
import { strictSchemaProblem } from './strict-schema.ts';
import { checkModelTakes, checkServerTakes, type ServerTakes } from './supported.ts';

/** The validated body, with the fields the simulator acts on read out of it. */
export interface CreateRequest {
  body: JsonObject;
  model: string;
  /** All text of the input. */
  text: string;
  /** What the user said. */
  document: string;
  stream: boolean;
  background: boolean;
  store: boolean;
  maxOutputTokens: number | undefined;
}

/** The model of a request that leaves it to its prompt template. */
const TEMPLATE_MODEL = 'gpt-5';
const MAX_METADATA_PAIRS = 16;
const MAX_METADATA_KEY_CHARACTERS = 64;
const MAX_METADATA_VALUE_CHARACTERS = 512;
const NAME_PATTERN = /^[a-zA-Z0-9_-]{1,64}$/;
const ROLES: unknown[] = ['assistant', 'system', 'developer', 'user'];
const PART_TYPES: unknown[] = [
  'input_text',
  'input_image',
  'input_file',
  'input_audio',
  'output_text',
  'refusal',
  'summary_text',
  'computer_screenshot',
];
const FORMAT_TYPES: unknown[] = ['text', 'json_object', 'json_schema'];

function quoted(values: unknown[]): string {
  return values.map((value) => `'${value}'`).join(', ');
}

function checkOneOf(value: unknown, allowed: unknown[], param: string): void {
  if (allowed.includes(value)) return;
  throw badParameter(
    `Invalid value: '${String(value)}'. Supported values are: ${quoted(allowed)}.`,
    param,
    'invalid_value',
  );
}

function missing(param: string): RefusedRequest {
  return badParameter(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
}

function checkPart(part: unknown, param: string): void {
  if (!isObject(part)) {
    throw badParameter(
      `Invalid type for '${param}': expected an object, but got ${describeType(part)} instead.`,
      param,
      'invalid_type',
    );
  }
  checkOneOf(part.type, PART_TYPES, `${param}.type`);
  if (part.type === 'input_image') checkField(`${param}.image_url`, part.image_url, { kind: 'string' });
  if (part.type === 'input_text' || part.type === 'output_text') {
    if (typeof part.text !== 'string') throw missing(`${param}.text`);
  }
}

function checkItem(item: unknown, param: string): void {
  if (!isObject(item)) {
    throw badParameter(
      `Invalid type for '${param}': expected an input item, but got ${describeType(item)} instead.`,
      param,
      'invalid_type',
    );
  }
  if (item.type !== undefined && item.type !== 'message') return;
  checkOneOf(item.role, ROLES, `${param}.role`);
  if (typeof item.content === 'string') return;
  if (!Array.isArray(item.content)) throw missing(`${param}.content`);
  for (const [index, part] of item.content.entries()) checkPart(part, `${param}.content[${index}]`);
}

function checkInput(body: JsonObject): void {
  const { input } = body;
  if (input === undefined || input === null) {
    if (!isObject(body.prompt)) throw missing('input');
    return;
  }
  if (typeof input === 'string') return;
  if (!Array.isArray(input)) {
    throw badParameter(
      `Invalid type for 'input': expected one of a string or array of input items, but got ${describeType(input)} instead.`,
      'input',
      'invalid_type',
    );
  }
  for (const [index, item] of input.entries()) checkItem(item, `input[${index}]`);
}

function checkMetadata(metadata: unknown): void {
  if (!isObject(metadata)) return;
  const pairs = Object.entries(metadata);
  if (pairs.length > MAX_METADATA_PAIRS) {
    throw badParameter(
      `Invalid 'metadata': too many properties. Expected an object with at most ${MAX_METADATA_PAIRS} properties, but got an object with ${pairs.length} properties instead.`,
      'metadata',
      'object_above_max_properties',
    );
  }
  for (const [key, value] of pairs) {
    checkField(`metadata.${key}`, value, { kind: 'string' });
    const tooLong = key.length > MAX_METADATA_KEY_CHARACTERS || String(value).length > MAX_METADATA_VALUE_CHARACTERS;
    if (tooLong)
      throw badParameter(`Invalid 'metadata.${key}': string too long.`, `metadata.${key}`, 'string_above_max_length');
  }
}

function checkFormat(body: JsonObject): void {
  const format = isObject(body.text) ? body.text.format : undefined;
  if (!isObject(format)) return;
  checkOneOf(format.type, FORMAT_TYPES, 'text.format.type');
  if (format.type === 'json_object' && !/json/i.test(inputText(body))) {
    throw badParameter(
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      'input',
    );
  }
  if (format.type !== 'json_schema') return;
  if (typeof format.name !== 'string') throw missing('text.format.name');
  if (!NAME_PATTERN.test(format.name)) {
    throw badParameter(
      `Invalid 'text.format.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      'text.format.name',
      'invalid_value',
    );
  }
  if (!isObject(format.schema)) throw missing('text.format.schema');
  const problem = format.strict === true ? strictSchemaProblem(format.schema) : undefined;
  if (problem) {
    throw badParameter(
      `Invalid schema for response_format '${format.name}': ${problem}`,
      'text.format.schema',
      'invalid_json_schema',
    );
  }
}

function checkTools(tools: unknown): void {
  if (!Array.isArray(tools)) return;
  for (const [index, tool] of tools.entries()) {
    if (!isObject(tool) || typeof tool.type !== 'string') throw missing(`tools[${index}].type`);
    if (tool.type !== 'function') continue;
    if (typeof tool.name !== 'string') throw missing(`tools[${index}].name`);
    const problem =
      tool.strict === true && isObject(tool.parameters) ? strictSchemaProblem(tool.parameters) : undefined;
    if (problem) {
      throw badParameter(
        `Invalid schema for function '${tool.name}': ${problem}`,
        `tools[${index}].parameters`,
        'invalid_function_parameters',
      );
    }
  }
}

/** The object a request body holds. Throws a RefusedRequest (400) for anything that is not one. */
export function parseBody(text: string): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // Where it breaks off helps nobody: OpenAI says no more than this either.
    throw new RefusedRequest(400, 'We could not parse the JSON body of your request. The API expects a JSON payload.');
  }
  if (!isObject(body)) throw new RefusedRequest(400, 'The body of your request must be a JSON object.');
  return body;
}

/** Checks a create request. Throws a RefusedRequest (400) with the first thing OpenAI would refuse. */
export function readCreateRequest(body: JsonObject, takes: ServerTakes): CreateRequest {
  for (const [name, value] of Object.entries(body)) {
    const rule = ruleOf(name);
    if (!rule) throw badParameter(`Unknown parameter: '${name}'.`, name, 'unknown_parameter');
    checkField(name, value, rule);
  }
  if (typeof body.model !== 'string' && !isObject(body.prompt)) throw missing('model');
  checkInput(body);
  checkMetadata(body.metadata);
  checkFormat(body);
  checkTools(body.tools);
  checkModelTakes(body);
  checkServerTakes(body, takes);
  if (body.background === true && body.store === false) {
    throw badParameter("Background mode requires 'store' to be true.", 'store', 'invalid_value');
  }
  return {
    body,
    model: typeof body.model === 'string' ? body.model : TEMPLATE_MODEL,
    text: inputText(body),
    document: documentText(body),
    stream: body.stream === true,
    background: body.background === true,
    store: body.store !== false,
    maxOutputTokens: typeof body.max_output_tokens === 'number' ? body.max_output_tokens : undefined,
  };
}
