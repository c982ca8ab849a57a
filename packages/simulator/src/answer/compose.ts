/** What the simulator answers: decided by the request's content alone. */
import { drawsFor } from '../calls/random.ts';
import { isObject, type JsonObject } from '../json.ts';
import { latestOutputText } from '../request/input-text.ts';
import { withoutPromptWords } from '../request/prompt-words.ts';
import { saidText } from '../request/said-text.ts';
import type { CreateRequest } from '../request/validate.ts';
import type { Answer, AnswerItem } from './answer.ts';
import { cutAtTokens } from './cut.ts';
import { type Document, readDocument } from './document.ts';
import { fillSchema } from './fill.ts';
import { findName, findPurpose } from './find-name-and-purpose.ts';
import { functionCalls } from './function-calls.ts';
import { writeProse } from './prose.ts';

const MAX_JSON_OBJECT_VALUES = 20;

function jsonObject(document: Document): JsonObject {
  const name = findName(document);
  const summary = findPurpose(document);
  const values = [...document.values].slice(0, MAX_JSON_OBJECT_VALUES);
  return { ...(name && { name }), ...(summary && { summary }), ...Object.fromEntries(values) };
}

function writeText(request: CreateRequest, seed: number): string {
  const said = saidText(request.body.input);
  if (said !== undefined) return said;
  const format = isObject(request.body.text) ? request.body.text.format : undefined;
  const read = () => readDocument(withoutPromptWords(request.document || request.text));
  if (isObject(format) && format.type === 'json_schema' && isObject(format.schema)) {
    return JSON.stringify(fillSchema(format.schema, read()));
  }
  if (isObject(format) && format.type === 'json_object') return JSON.stringify(jsonObject(read()));
  const { next } = drawsFor(seed, request.text, 0);
  return writeProse(request.document || request.text, next, latestOutputText(request.body));
}

/** The answer to `request`, cut at its `max_output_tokens`. */
export function composeAnswer(request: CreateRequest, seed: number): Answer {
  const calls = functionCalls(request, readDocument(withoutPromptWords(request.document)));
  const items: AnswerItem[] = calls.length > 0 ? calls : [{ kind: 'text', text: writeText(request, seed) }];
  return cutAtTokens(items, request.maxOutputTokens ?? Number.MAX_SAFE_INTEGER);
}
