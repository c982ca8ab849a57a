/** Functions and their choice: flat in the Responses API, nested in Chat Completions. Tools of other kinds are not kept. */

import { isJsonObject, type JsonObject, pathTo } from '../responses-request-fault.ts';
import { checkStrictSchema } from '../strict-schema.ts';
import type { FunctionChoice, FunctionTool } from './chat-request-body.ts';
import { NoChatCounterpart, neededString, refuseOtherFields } from './no-chat-counterpart.ts';

const FUNCTION_FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'description', 'parameters', 'strict']);
const NAMED_FIELDS: ReadonlySet<string> = new Set(['type', 'name']);
const ALLOWED_FIELDS: ReadonlySet<string> = new Set(['type', 'mode', 'tools']);

/** @throws NoChatCounterpart for the first tool that is no function, or one of more than Chat Completions knows. */
export function chatToolsOf(tools: unknown, path: string): FunctionTool[] {
  if (!Array.isArray(tools)) throw new NoChatCounterpart(path);
  return tools.map((tool: unknown, index) => {
    const at = pathTo(path, index);
    if (!isFunction(tool)) throw new NoChatCounterpart(at);
    refuseOtherFields(tool, FUNCTION_FIELDS, at);
    const { description, parameters } = tool;
    const strict = isStrict(tool);
    const definition = {
      name: neededString(tool, 'name', at),
      ...(description != null && { description }),
      ...(parameters != null && { parameters }),
      ...(strict !== undefined && { strict }),
    };
    return { type: 'function', function: definition } as FunctionTool;
  });
}

/**
 * Chat Completions is not strict unless told. The Responses API, not told either, is strict as far as it can: there
 * every schema is made to fit, here one that does not fit would be refused.
 */
function isStrict({ strict, parameters }: JsonObject): boolean | undefined {
  if (typeof strict === 'boolean') return strict;
  return isJsonObject(parameters) && checkStrictSchema(parameters) === null ? true : undefined;
}

/** @throws NoChatCounterpart for a choice of anything but functions; `path` is its own. */
export function chatToolChoiceOf(choice: unknown, path: string): FunctionChoice {
  if (choice === 'none' || choice === 'auto' || choice === 'required') return choice;
  if (isFunction(choice)) return namedFunctionOf(choice, path);
  if (!isJsonObject(choice) || choice.type !== 'allowed_tools' || !Array.isArray(choice.tools)) {
    throw new NoChatCounterpart(path);
  }
  refuseOtherFields(choice, ALLOWED_FIELDS, path);
  const tools = choice.tools.map((tool: unknown, index) => {
    const at = pathTo(pathTo(path, 'tools'), index);
    if (!isFunction(tool)) throw new NoChatCounterpart(at);
    return namedFunctionOf(tool, at);
  });
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode as 'auto' | 'required', tools } };
}

/** `{type, name}` → `{type, function: {name}}`. */
function namedFunctionOf(choice: JsonObject, path: string): { type: 'function'; function: { name: string } } {
  refuseOtherFields(choice, NAMED_FIELDS, path);
  return { type: 'function', function: { name: neededString(choice, 'name', path) } };
}

function isFunction(value: unknown): value is JsonObject {
  return isJsonObject(value) && value.type === 'function';
}
