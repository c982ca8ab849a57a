/** Follows a `$ref` inside one schema document. It never leaves the document and always ends. */

import { isJsonObject, type JsonObject } from './responses-request-fault.ts';

/** A definition that is only a reference to another one, and so on: more than this is a circle or a prank. */
const MAX_REFERENCE_HOPS = 32;

/** What is wrong with the reference, or null when it leads to a schema. */
export function referenceProblem(reference: string, root: JsonObject): string | null {
  let target: JsonObject | null = root;
  let next: unknown = reference;
  for (let hops = 0; hops < MAX_REFERENCE_HOPS; hops++) {
    if (typeof next !== 'string') return null;
    if (!next.startsWith('#')) return "'$ref' must stay inside the schema, like '#/$defs/name'";
    target = resolveReference(next, root);
    if (target === null) return "'$ref' leads to nothing in this schema";
    next = target.$ref;
  }
  return "'$ref' leads round in a circle";
}

/** JSON Pointer (RFC 6901) in a URI fragment; null when it leads to no schema. */
export function resolveReference(reference: string, root: JsonObject): JsonObject | null {
  if (reference === '#') return root;
  const pointer = decodeFragment(reference.slice(1));
  if (pointer === null || !pointer.startsWith('/')) return null;
  let target: unknown = root;
  for (const step of pointer.slice(1).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof target !== 'object' || target === null || !Object.hasOwn(target, key)) return null;
    target = (target as JsonObject)[key];
  }
  return isJsonObject(target) ? target : null;
}

function decodeFragment(fragment: string): string | null {
  try {
    return decodeURIComponent(fragment);
  } catch {
    // Malformed percent escapes: such a reference leads to nothing.
    return null;
  }
}
