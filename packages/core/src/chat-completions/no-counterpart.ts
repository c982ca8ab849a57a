/**
 * What Chat Completions takes and the Responses API has no word for is refused by name, never ignored: the answer would
 * be another one than asked for. Values that ask for nothing (the default, null, an empty list) pass.
 */

import { InvalidRequestError } from '../errors.ts';
import { FIELD_HINTS } from '../request-hints.ts';
import { type JsonObject, pathTo } from '../responses-request-fault.ts';

/** Whether a value asks for no more than the field's absence does. */
type AsksForNothing = (value: unknown) => boolean;

const isZero: AsksForNothing = (value) => value === 0;
const isEmpty: AsksForNothing = (value) => typeof value === 'object' && value !== null && isEmptyObject(value);
const never: AsksForNothing = () => false;

const NO_AUDIO = 'The Responses API answers with text, never with audio.';

/** Field → which values ask for nothing, and why others are refused. */
export const NO_COUNTERPART: ReadonlyMap<string, { asksForNothing: AsksForNothing; why: string }> = new Map([
  ['audio', { asksForNothing: never, why: NO_AUDIO }],
  ['frequency_penalty', { asksForNothing: isZero, why: whyOf('frequency_penalty') }],
  ['logit_bias', { asksForNothing: isEmpty, why: whyOf('logit_bias') }],
  [
    'modalities',
    {
      asksForNothing: (value) => Array.isArray(value) && value.every((modality) => modality === 'text'),
      why: NO_AUDIO,
    },
  ],
  ['n', { asksForNothing: (value) => value === 1, why: whyOf('n') }],
  ['prediction', { asksForNothing: never, why: 'The Responses API has no predicted outputs.' }],
  ['presence_penalty', { asksForNothing: isZero, why: whyOf('presence_penalty') }],
  ['seed', { asksForNothing: never, why: whyOf('seed') }],
  ['stop', { asksForNothing: (value) => value === '' || isEmpty(value), why: whyOf('stop') }],
]);

/** A parameter or value that exists in Chat Completions and cannot be kept. `why` is a sentence, remedy included. */
export function unsupported(path: string, why: string): InvalidRequestError {
  const message = `Unsupported parameter: '${path}' is not supported here. ${why}`;
  return new InvalidRequestError(message, path, 'unsupported_parameter');
}

/**
 * @param extraFields what the upstream takes beyond OpenAI's own fields: those go to it as they are.
 * @throws InvalidRequestError for the first field that asks for what the Responses API cannot do.
 */
export function refuseNoCounterpart(body: JsonObject, extraFields: readonly string[], at: string): void {
  for (const [field, { asksForNothing, why }] of NO_COUNTERPART) {
    const value = body[field];
    if (value == null || asksForNothing(value) || extraFields.includes(field)) continue;
    throw unsupported(pathTo(at, field), why);
  }
}

function isEmptyObject(value: object): boolean {
  return Object.keys(value).length === 0;
}

function whyOf(field: string): string {
  return FIELD_HINTS.get(field) ?? '';
}
