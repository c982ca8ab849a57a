/**
 * Every fault of a request is told the way OpenAI tells it: same wording, same `param` path, same `code`, so that
 * clients written against OpenAI understand Millrace's refusals.
 */

import type * as z from 'zod';
import { InvalidRequestError } from './errors.ts';

export type JsonObject = Record<string, unknown>;

/** The message of a bound in a schema whose number may be fractional: OpenAI's codes tell decimals from integers. */
export const DECIMAL = 'decimal';

/** The `params` of a check whose message says what value is expected; other custom checks name a type. */
export const VALUE_FAULT: Record<string, unknown> = { fault: 'value' };

/** How much of a wrong value is repeated to its sender. */
const MAX_SHOWN_CHARACTERS = 64;
const MAX_PATH_CHARACTERS = 200;

/** A JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `input` + `0` → `input[0]`; `input[0]` + `type` → `input[0].type`; an empty path is the body itself. */
export function pathTo(path: string, step: PropertyKey): string {
  if (typeof step === 'number') return `${path}[${step}]`;
  return path === '' ? String(step) : `${path}.${String(step)}`;
}

/** A field that does not exist here. `hint` is a sentence that names the right one. */
export function unknownParameter(path: string, hint?: string): InvalidRequestError {
  // The name is the caller's own, and may be as long as a body.
  const param = path.length > MAX_PATH_CHARACTERS ? `${path.slice(0, MAX_PATH_CHARACTERS)}…` : path;
  const message = `Unknown parameter: '${param}'.${hint === undefined ? '' : ` ${hint}`}`;
  return new InvalidRequestError(message, param, 'unknown_parameter');
}

/** A field that must be there and is not. `hint` is a sentence more. */
export function missingParameter(path: string, hint?: string): InvalidRequestError {
  const message = `Missing required parameter: '${path}'.${hint === undefined ? '' : ` ${hint}`}`;
  return new InvalidRequestError(message, path, 'missing_required_parameter');
}

/** `expected` reads after "expected": "a string", "an array of objects". */
export function invalidType(path: string, expected: string, value: unknown, hint?: string): InvalidRequestError {
  const subject = path === '' ? 'the body of your request' : `'${path}'`;
  const message = `Invalid type for ${subject}: expected ${expected}, but got ${kindOf(value)} instead.`;
  return new InvalidRequestError(
    hint === undefined ? message : `${message} ${hint}`,
    path === '' ? null : path,
    'invalid_type',
  );
}

/** `advice` says what would be right: "Supported values are: 'a' and 'b'." */
export function invalidValue(path: string, value: unknown, advice: string): InvalidRequestError {
  return new InvalidRequestError(`Invalid value: ${shown(value)}. ${advice}`, path, 'invalid_value');
}

/** "Supported values are: 'a', 'b', and 'c'." */
export function supportedValues(values: readonly unknown[]): string {
  const quoted = values.map((value) => `'${String(value)}'`);
  const last = quoted.at(-1) ?? '';
  if (quoted.length < 2) return `The only supported value is ${last}.`;
  return `Supported values are: ${quoted.slice(0, -1).join(', ')}${quoted.length > 2 ? ',' : ''} and ${last}.`;
}

/**
 * The first of zod's issues as OpenAI would say it.
 *
 * @param at path of `body` in what the caller sent; empty for the whole.
 */
export function firstFault(error: z.core.$ZodError, body: unknown, at: string): InvalidRequestError {
  const issue = error.issues[0];
  if (issue === undefined) return new InvalidRequestError('Invalid request.', at === '' ? null : at, 'invalid_value');
  let path = at;
  let value = body;
  for (const step of issue.path) {
    path = pathTo(path, step);
    value = memberOf(value, step);
  }
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? missingParameter(path) : invalidType(path, withArticle(issue.expected), value);
    case 'invalid_value':
      return value === undefined ? missingParameter(path) : invalidValue(path, value, supportedValues(issue.values));
    case 'too_big':
      return outOfRange(path, value, issue, 'max', issue.maximum);
    case 'too_small':
      return outOfRange(path, value, issue, 'min', issue.minimum);
    case 'custom':
      if (issue.params === VALUE_FAULT) return invalidValue(path, value, `${issue.message}.`);
      return value === undefined ? missingParameter(path) : invalidType(path, issue.message, value);
    default:
      return invalidValue(path, value, `${issue.message}.`);
  }
}

/** OpenAI's codes name kind and bound: `integer_below_min_value`, `string_above_max_length`. */
function outOfRange(
  path: string,
  value: unknown,
  issue: { origin: string; message: string },
  side: 'min' | 'max',
  bound: number | bigint,
): InvalidRequestError {
  const beyond = side === 'max' ? 'above' : 'below';
  if (issue.origin === 'string') {
    const length = typeof value === 'string' ? value.length : 0;
    return new InvalidRequestError(
      `Invalid '${path}': string too ${side === 'max' ? 'long' : 'short'}. Expected a string with ${side}imum length ${bound}, but got a string with length ${length} instead.`,
      path,
      `string_${beyond}_${side}_length`,
    );
  }
  const kind = issue.message === DECIMAL ? 'decimal' : 'integer';
  return new InvalidRequestError(
    `Invalid '${path}': ${kind} ${beyond} ${side}imum value. Expected a value ${side === 'max' ? '<=' : '>='} ${bound}, but got ${String(value)} instead.`,
    path,
    `${kind}_${beyond}_${side}_value`,
  );
}

function memberOf(value: unknown, step: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<PropertyKey, unknown>)[step];
}

function withArticle(expected: string): string {
  if (expected === 'int') return 'an integer';
  if (expected === 'record' || expected === 'object') return 'an object';
  return expected === 'array' ? 'an array' : `a ${expected}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function shown(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > MAX_SHOWN_CHARACTERS ? `'${value.slice(0, MAX_SHOWN_CHARACTERS)}…'` : `'${value}'`;
  }
  return typeof value === 'object' && value !== null ? kindOf(value) : String(value);
}
