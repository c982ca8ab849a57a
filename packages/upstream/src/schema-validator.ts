/**
 * JSON Schemas (2020-12, with formats) as validators. A schema that comes with every job must not leak: each is compiled
 * in an Ajv of its own, which goes when its entry goes, so neither memory nor one schema's `$id` reaches another.
 */
import { hash } from 'node:crypto';
import type { Miss } from '@millrace/core';
import { Ajv2020, type ErrorObject, type Options } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { BoundedCache } from './bounded-cache.ts';

/** Distinct schemas in use at once are the configured ones and a few sent along; one compiled takes some 50 KiB. */
export const MAX_CACHED_SCHEMAS = 256;

/** Misses listed of one answer: enough to see the pattern, small enough for a job record. */
export const MAX_MISSES = 20;

/** Above this only the first miss is looked for: listing all of a huge answer's would itself be huge. */
const MAX_CHARS_FOR_ALL_MISSES = 1024 * 1024;

/** Of a name out of an answer, in a message. */
const MAX_NAME_CHARS = 100;

/** Of a place in an answer, which may be as deep as the answer is long. */
export const MAX_PATH_CHARS = 500;

export interface SchemaValidator {
  /** The misses of `value`, none when it fits. `chars` is the length of the text it was parsed from. */
  misses(value: unknown, chars: number): Miss[];
}

/** Compiled already, or why it does not compile. */
export type Compiled = SchemaValidator | { fault: string };

type Schema = Readonly<Record<string, unknown>>;

const OPTIONS: Options = { strict: false, meta: false, validateSchema: false, logger: false };

/** Checks schemas against their meta-schema; it keeps none of them. */
const metaSchema = new Ajv2020({ strict: false, logger: false });

const byContent = new BoundedCache<string, Compiled>(MAX_CACHED_SCHEMAS);
/** Configured schemas are the same object for each job: they need not be written out to be found. */
const byIdentity = new WeakMap<Schema, Compiled>();

/** The validator of `schema`, compiled at most once while it is cached; or the fault that keeps it from compiling. */
export function schemaValidator(schema: Schema): Compiled {
  const known = byIdentity.get(schema);
  if (known !== undefined) return known;
  const key = hash('sha256', JSON.stringify(schema));
  const compiled = byContent.get(key) ?? compile(schema);
  byContent.set(key, compiled);
  byIdentity.set(schema, compiled);
  return compiled;
}

/** How many compiled schemas are held, for the test of the bound. */
export function cachedSchemas(): number {
  return byContent.size;
}

function compile(given: Schema): Compiled {
  // `$schema` would demand a meta-schema of another draft; `$async` would make the validator answer with a promise.
  const { $schema: _dialect, $async: _async, ...schema } = given;
  try {
    if (!metaSchema.validateSchema(schema)) return { fault: metaSchema.errorsText(metaSchema.errors, { dataVar: '' }) };
    const first = ajv(false).compile(schema);
    let all: typeof first | null = null;
    return {
      misses: (value, chars) => {
        if (first(value)) return [];
        if (chars > MAX_CHARS_FOR_ALL_MISSES) return (first.errors ?? []).map(missOf);
        // Compiled only when an answer misses, which most schemas never see.
        all ??= ajv(true).compile(schema);
        all(value);
        return (all.errors ?? []).slice(0, MAX_MISSES).map(missOf);
      },
    };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

function ajv(allErrors: boolean): Ajv2020 {
  const instance = new Ajv2020({ ...OPTIONS, allErrors });
  formats.default(instance, { mode: 'fast' });
  return instance;
}

function missOf(error: ErrorObject): Miss {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~').slice(0, MAX_NAME_CHARS))
    .join('.')
    .slice(0, MAX_PATH_CHARS);
  const extra: unknown = error.params['additionalProperty'] ?? error.params['unevaluatedProperty'];
  const named = typeof extra === 'string' ? `: '${extra.slice(0, MAX_NAME_CHARS)}'` : '';
  return { path, problem: `${(error.message ?? error.keyword).slice(0, MAX_NAME_CHARS * 5)}${named}` };
}
