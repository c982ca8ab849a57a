/** JSON as it comes off the wire: nothing about it is believed before it is asked. */

export type JsonObject = { [key: string]: unknown };

/** True for a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own property `key`; `undefined` where there is none, also for names that Object.prototype has. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
