/**
 * Input items and tools have the shape every Responses server needs: objects that say what they are. Types this code
 * does not know pass: a newer upstream may.
 */

import {
  invalidType,
  invalidValue,
  isJsonObject,
  type JsonObject,
  missingParameter,
  pathTo,
  supportedValues,
} from './responses-request-fault.ts';

const MESSAGE_ROLES: readonly unknown[] = ['assistant', 'system', 'developer', 'user'];

/** @throws InvalidRequestError for the first item that is malformed; `path` is that of the list. */
export function checkItems(items: readonly unknown[], path: string): void {
  for (const [index, item] of items.entries()) {
    const itemPath = pathTo(path, index);
    if (!isJsonObject(item)) throw invalidType(itemPath, 'an object', item);
    checkItem(item, itemPath);
  }
}

/** @throws InvalidRequestError for the first tool that is malformed; `path` is that of the list. */
export function checkTools(tools: readonly unknown[], path: string): void {
  for (const [index, tool] of tools.entries()) {
    const toolPath = pathTo(path, index);
    if (!isJsonObject(tool)) throw invalidType(toolPath, 'an object', tool);
    checkType(tool, toolPath);
  }
}

function checkItem(item: JsonObject, path: string): void {
  const { type } = item;
  if (type === 'message' || (type == null && (item.role !== undefined || item.content !== undefined))) {
    checkMessage(item, path);
    // An item of no type but with an id is a reference.
  } else if (type != null || item.id === undefined) checkType(item, path);
}

function checkMessage(message: JsonObject, path: string): void {
  const { role, content } = message;
  if (role === undefined) throw missingParameter(pathTo(path, 'role'));
  if (!MESSAGE_ROLES.includes(role)) {
    throw invalidValue(pathTo(path, 'role'), role, supportedValues(MESSAGE_ROLES));
  }
  const contentPath = pathTo(path, 'content');
  if (content === undefined) throw missingParameter(contentPath);
  if (typeof content === 'string') return;
  if (!Array.isArray(content)) throw invalidType(contentPath, 'a string or an array of objects', content);
  for (const [index, part] of content.entries()) {
    const partPath = pathTo(contentPath, index);
    if (!isJsonObject(part)) throw invalidType(partPath, 'an object', part);
    checkType(part, partPath);
  }
}

function checkType(thing: JsonObject, path: string): void {
  const { type } = thing;
  if (type == null) throw missingParameter(pathTo(path, 'type'));
  if (typeof type !== 'string') throw invalidType(pathTo(path, 'type'), 'a string', type);
}
