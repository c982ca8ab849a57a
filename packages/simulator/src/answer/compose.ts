/** What the simulator answers: decided by the request's content alone. */
import { drawsFor } from '../calls/random.ts';
import { isObject, type JsonObject } from '../json.ts';
import { latestOutputText } from '../request/input-text.ts';
import { withoutPromptWords } from '../request/prompt-words.ts';
import { saidText } from '../request/said-text.ts';
import type { CreateRequest } from '../request/validate.ts';
import type { Answer, AnswerItem } from './answer.ts';
import { citationsOf } from './citations.ts';
import { cutAtTokens } from './cut.ts';
import { type Document, readDocument } from './document.ts';
import { fillSchema } from './fill.ts';
import { findName, findPurpose } from './find-name-and-purpose.ts';
import { functionCalls } from './function-calls.ts';
import { hostedCalls } from './hosted-calls.ts';
import { topicOf, writeProse } from './prose.ts';
import { reasoningOf } from './reasoning.ts';

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

function answerItems(request: CreateRequest, seed: number): AnswerItem[] {
  const hosted = hostedCalls(request);
  const calls = functionCalls(request, readDocument(withoutPromptWords(request.document)));
  if (calls.length > 0) return [...hosted, ...calls];
  // The client has to act before anything can be said.
  if (hosted.some(({ tool }) => tool === 'computer')) return hosted;
  const text = writeText(request, seed);
  const annotations = citationsOf(hosted, text, topicOf(request.document || request.text));
  return [...hosted, { kind: 'text', text, ...(annotations.length > 0 && { annotations }) }];
}

/** The answer to `request`, cut at its `max_output_tokens`. */
export function composeAnswer(request: CreateRequest, seed: number): Answer {
  const reasoning = reasoningOf(request);
  const items = answerItems(request, seed);
  return cutAtTokens(reasoning ? [reasoning, ...items] : items, request.maxOutputTokens ?? Number.MAX_SAFE_INTEGER);
}
