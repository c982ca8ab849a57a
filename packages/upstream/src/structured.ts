/**
 * Structured output: the value in an answer's text, checked by the job's own zod type or by the JSON Schema of its
 * `text.format`. Never throws, whatever the model wrote.
 */
import type { Miss, ResponsesBody } from '@millrace/core';
import type { z } from 'zod';
import { isObject, parseJson } from './json.ts';
import { MAX_MISSES, MAX_PATH_CHARS, schemaValidator } from './schema-validator.ts';

export type Checked = { fits: true; value: unknown } | { fits: false; misses: Miss[] };

/** Checks the text of an answer. */
export type AnswerCheck = (text: string) => Promise<Checked>;

/**
 * The check that a request asks for: `zod` where given (its output becomes the value), else its JSON Schema; null where
 * it asks for free text; a fault where its schema does not compile.
 */
export function answerCheck(body: ResponsesBody, zod: z.ZodType | undefined): AnswerCheck | null | { fault: string } {
  if (zod !== undefined) return checkedBy(async (value) => checkByZod(zod, value));
  const schema = schemaOfFormat(body);
  if (schema === null) return null;
  const validator = schemaValidator(schema);
  if ('fault' in validator) return validator;
  return checkedBy(async (value, chars) => {
    const misses = validator.misses(value, chars);
    return misses.length === 0 ? { fits: true, value } : { fits: false, misses };
  });
}

function checkedBy(check: (value: unknown, chars: number) => Promise<Checked>): AnswerCheck {
  return async (text) => {
    const value = parseJson(text);
    if (value === undefined) return { fits: false, misses: [{ path: '', problem: notJson(text) }] };
    try {
      return await check(value, text.length);
    } catch (error) {
      // A refinement that throws, a recursion without end: for this answer that is a miss like any other.
      const problem = `the check itself failed: ${error instanceof Error ? error.message.slice(0, 200) : 'unknown'}`;
      return { fits: false, misses: [{ path: '', problem }] };
    }
  };
}

async function checkByZod(zod: z.ZodType, value: unknown): Promise<Checked> {
  const result = await zod.safeParseAsync(value);
  if (result.success) return { fits: true, value: result.data };
  const misses = result.error.issues.slice(0, MAX_MISSES).map((issue) => ({
    path: issue.path.map(String).join('.').slice(0, MAX_PATH_CHARS),
    problem: issue.message.slice(0, 500),
  }));
  return { fits: false, misses };
}

function schemaOfFormat(body: ResponsesBody): Record<string, unknown> | null {
  const format = isObject(body['text']) ? body['text']['format'] : undefined;
  if (!isObject(format) || format['type'] !== 'json_schema') return null;
  return isObject(format['schema']) ? format['schema'] : null;
}

function notJson(text: string): string {
  return text.trim() === '' ? 'the answer is empty' : 'the answer is no JSON, or is nested too deeply';
}
