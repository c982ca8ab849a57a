/** The images of a Responses request, wherever one may stand; whatever is not shaped as expected is skipped. */
import { isJsonObject, type JsonObject, pathTo } from './responses-request-fault.ts';

const MAX_NAME_CHARACTERS = 80;

/**
 * What holds an image (`image_url` or `file_id`), with its path.
 * @param at path of `request` in what the caller sent; empty for the whole
 */
export function* imagesOf({ input, prompt, tools }: JsonObject, at: string): Generator<[JsonObject, string]> {
  for (const [item, path] of objectsOf(input, pathTo(at, 'input'))) {
    for (const field of ['content', 'output']) {
      // A screenshot is the whole output of a computer call; elsewhere there are parts.
      const held = item[field];
      const fieldPath = pathTo(path, field);
      if (isImage(held)) yield [held, fieldPath];
      for (const [part, partPath] of objectsOf(held, fieldPath)) if (isImage(part)) yield [part, partPath];
    }
  }
  const variables = isJsonObject(prompt) && isJsonObject(prompt.variables) ? prompt.variables : {};
  const variablesPath = pathTo(at, 'prompt.variables');
  for (const [name, value] of Object.entries(variables)) {
    // A name is the caller's own, and may be as long as a body.
    if (isImage(value)) yield [value, pathTo(variablesPath, name.slice(0, MAX_NAME_CHARACTERS))];
  }
  for (const [tool, path] of objectsOf(tools, pathTo(at, 'tools'))) {
    const mask = tool.input_image_mask;
    if (isJsonObject(mask) && mask.image_url != null) yield [mask, pathTo(path, 'input_image_mask')];
  }
}

function isImage(value: unknown): value is JsonObject {
  return isJsonObject(value) && (value.type === 'input_image' || value.type === 'computer_screenshot');
}

/** The objects of a list with their paths; what is no list has none. */
export function* objectsOf(list: unknown, path: string): Generator<[JsonObject, string]> {
  if (!Array.isArray(list)) return;
  for (const [index, one] of list.entries()) if (isJsonObject(one)) yield [one, pathTo(path, index)];
}
