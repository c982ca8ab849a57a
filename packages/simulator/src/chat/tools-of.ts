/** A chat's tools, its choice among them and its answer's format, as the Responses API writes them: without nesting. */
import { isObject, type JsonObject } from '../json.ts';
import { badParameter } from '../request/refused.ts';

function toolOf(tool: unknown, param: string): unknown {
  if (!isObject(tool)) return tool;
  for (const type of ['function', 'custom']) {
    if (tool.type !== type) continue;
    const nested = tool[type];
    if (isObject(nested)) return { ...nested, type };
    throw badParameter(
      `Missing required parameter: '${param}.${type}'.`,
      `${param}.${type}`,
      'missing_required_parameter',
    );
  }
  return tool;
}

/** The tools, and the web search that a chat asks for by `web_search_options`. */
export function toolsOf({ tools, web_search_options: search }: JsonObject): unknown[] | undefined {
  const given = Array.isArray(tools) ? tools.map((tool, index) => toolOf(tool, `tools[${index}]`)) : [];
  if (isObject(search)) given.push({ type: 'web_search', ...search });
  return given.length > 0 ? given : undefined;
}

/** The choice; of allowed tools, only their mode. */
export function toolChoiceOf(choice: unknown): unknown {
  if (!isObject(choice)) return choice;
  if (isObject(choice.allowed_tools)) return choice.allowed_tools.mode;
  const named = choice.function ?? choice.custom;
  return isObject(named) ? { type: choice.type, name: named.name } : choice;
}

/** `response_format` and `verbosity` as `text`. */
export function textOf({ response_format: format, verbosity }: JsonObject): JsonObject | undefined {
  if (!isObject(format) && typeof verbosity !== 'string') return undefined;
  const schema = isObject(format) && format.type === 'json_schema' ? format.json_schema : undefined;
  const flat = isObject(schema) && isObject(format) ? { ...schema, type: format.type } : format;
  return { ...(isObject(flat) && { format: flat }), ...(typeof verbosity === 'string' && { verbosity }) };
}
