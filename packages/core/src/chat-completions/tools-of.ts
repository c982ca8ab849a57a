/** Tools and their choice: nested in Chat Completions, flat in the Responses API. */

import { invalidValue, isJsonObject, type JsonObject, pathTo, supportedValues } from '../responses-request-fault.ts';
import { requireArrayIn, requireObject, requireObjectIn, requireStringIn } from './require-field.ts';

const TOOL_TYPES = ['function', 'custom'];
const CHOICES: readonly unknown[] = ['none', 'auto', 'required'];
const CHOICE_TYPES = ['function', 'custom', 'allowed_tools'];

/** What "Omitting parameters defines a function with an empty parameter list" is, in strict mode too. */
const NO_PARAMETERS = { type: 'object', properties: {}, required: [], additionalProperties: false };

/** @throws InvalidRequestError for the first tool that cannot be converted; `path` is that of the list. */
export function toolsOf(tools: readonly unknown[], path: string): JsonObject[] {
  return tools.map((value, index) => {
    const toolPath = pathTo(path, index);
    const tool = requireObject(value, toolPath);
    const type = requireStringIn(tool, 'type', toolPath);
    if (type === 'function') {
      return functionToolOf(requireObjectIn(tool, 'function', toolPath), pathTo(toolPath, 'function'));
    }
    if (type === 'custom') {
      return customToolOf(requireObjectIn(tool, 'custom', toolPath), pathTo(toolPath, 'custom'));
    }
    throw invalidValue(pathTo(toolPath, 'type'), type, supportedValues(TOOL_TYPES));
  });
}

/**
 * The deprecated `functions`.
 *
 * @throws InvalidRequestError for the first function that cannot be converted; `path` is that of the list.
 */
export function functionsOf(functions: readonly unknown[], path: string): JsonObject[] {
  return functions.map((value, index) => {
    const functionPath = pathTo(path, index);
    return functionToolOf(requireObject(value, functionPath), functionPath);
  });
}

/** Strict is written out: it is off by default in Chat Completions and on by default in the Responses API. */
function functionToolOf(definition: JsonObject, path: string): JsonObject {
  return {
    ...definition,
    type: 'function',
    name: requireStringIn(definition, 'name', path),
    parameters: definition.parameters ?? NO_PARAMETERS,
    strict: definition.strict ?? false,
  };
}

function customToolOf(definition: JsonObject, path: string): JsonObject {
  const tool = { ...definition, type: 'custom', name: requireStringIn(definition, 'name', path) };
  const { format } = definition;
  if (!isJsonObject(format) || format.type !== 'grammar') return tool;
  return { ...tool, format: { ...requireObjectIn(format, 'grammar', pathTo(path, 'format')), type: 'grammar' } };
}

/** @throws InvalidRequestError for a choice that is none of Chat Completions'; `path` is its own. */
export function toolChoiceOf(choice: string | JsonObject, path: string): string | JsonObject {
  if (typeof choice === 'string') {
    if (!CHOICES.includes(choice)) throw invalidValue(path, choice, supportedValues(CHOICES));
    return choice;
  }
  const type = requireStringIn(choice, 'type', path);
  if (type !== 'allowed_tools') return namedToolOf(choice, path);
  const allowed = requireObjectIn(choice, 'allowed_tools', path);
  const allowedPath = pathTo(path, 'allowed_tools');
  const listPath = pathTo(allowedPath, 'tools');
  const tools = requireArrayIn(allowed, 'tools', allowedPath).map((value, index) => {
    const toolPath = pathTo(listPath, index);
    return namedToolOf(requireObject(value, toolPath), toolPath);
  });
  return { type, mode: requireStringIn(allowed, 'mode', allowedPath), tools };
}

/** `{type, function: {name}}` → `{type, name}`. */
function namedToolOf(choice: JsonObject, path: string): JsonObject {
  const type = requireStringIn(choice, 'type', path);
  if (!TOOL_TYPES.includes(type)) throw invalidValue(pathTo(path, 'type'), type, supportedValues(CHOICE_TYPES));
  return { type, name: requireStringIn(requireObjectIn(choice, type, path), 'name', pathTo(path, type)) };
}

/** The deprecated `function_call`. @throws InvalidRequestError as toolChoiceOf does. */
export function functionChoiceOf(choice: string | JsonObject, path: string): string | JsonObject {
  if (typeof choice === 'string') return toolChoiceOf(choice, path);
  return { type: 'function', name: requireStringIn(choice, 'name', path) };
}

/** `web_search_options` as the tool it is in the Responses API. */
export function webSearchToolOf(options: JsonObject, path: string): JsonObject {
  const { user_location: location, ...rest } = options;
  if (location == null) return { ...rest, type: 'web_search' };
  const locationPath = pathTo(path, 'user_location');
  const approximate = requireObjectIn(requireObject(location, locationPath), 'approximate', locationPath);
  return { ...rest, type: 'web_search', user_location: { ...approximate, type: 'approximate' } };
}
