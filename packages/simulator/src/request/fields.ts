/** The top-level fields of a create request, and what each may hold. A test pins the list to the SDK's. */
import { badParameter } from './refused.ts';

/** `null` is allowed everywhere but in `model` and `input`, as OpenAI does. */
type FieldKind = 'string' | 'boolean' | 'number' | 'integer' | 'array' | 'object' | 'any';

export interface FieldRule {
  kind: FieldKind;
  min?: number;
  max?: number;
}

/** OpenAI's smallest `max_output_tokens`. */
export const MIN_OUTPUT_TOKENS = 16;

export const FIELDS = {
  access_programs: { kind: 'object' },
  background: { kind: 'boolean' },
  context_management: { kind: 'array' },
  conversation: { kind: 'any' },
  image: { kind: 'object' },
  include: { kind: 'array' },
  input: { kind: 'any' },
  instructions: { kind: 'string' },
  max_output_tokens: { kind: 'integer', min: MIN_OUTPUT_TOKENS },
  max_tool_calls: { kind: 'integer', min: 0 },
  metadata: { kind: 'object' },
  model: { kind: 'string' },
  moderation: { kind: 'object' },
  parallel_tool_calls: { kind: 'boolean' },
  previous_response_id: { kind: 'string' },
  prompt: { kind: 'object' },
  prompt_cache_key: { kind: 'string' },
  prompt_cache_options: { kind: 'object' },
  prompt_cache_retention: { kind: 'string' },
  reasoning: { kind: 'object' },
  safety_identifier: { kind: 'string' },
  service_tier: { kind: 'string' },
  store: { kind: 'boolean' },
  stream: { kind: 'boolean' },
  stream_options: { kind: 'object' },
  temperature: { kind: 'number', min: 0, max: 2 },
  text: { kind: 'object' },
  tool_choice: { kind: 'any' },
  tools: { kind: 'array' },
  top_logprobs: { kind: 'integer', min: 0, max: 20 },
  top_p: { kind: 'number', min: 0, max: 1 },
  truncation: { kind: 'string' },
  user: { kind: 'string' },
} as const satisfies Record<string, FieldRule>;

/** The rule of a top-level field; undefined for a field OpenAI does not know. */
export function ruleOf(name: string): FieldRule | undefined {
  return Object.hasOwn(FIELDS, name) ? (FIELDS as Record<string, FieldRule>)[name] : undefined;
}

const ARTICLES: Record<FieldKind, string> = {
  string: 'a string',
  boolean: 'a boolean',
  number: 'a decimal',
  integer: 'an integer',
  array: 'an array',
  object: 'an object',
  any: 'a value',
};

function kindOf(value: unknown): FieldKind {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'string' || typeof value === 'boolean' ? (typeof value as FieldKind) : 'object';
}

/** `value` as OpenAI names its type in an error: "a string", "an array". */
export function describeType(value: unknown): string {
  return value === null ? 'null' : ARTICLES[kindOf(value)];
}

/** Throws a RefusedRequest where `value` is not what `rule` allows for the parameter `name`. */
export function checkField(name: string, value: unknown, rule: FieldRule): void {
  if (value === null || value === undefined || rule.kind === 'any') return;
  const kind = kindOf(value);
  if (kind !== rule.kind && !(rule.kind === 'number' && kind === 'integer')) {
    throw badParameter(
      `Invalid type for '${name}': expected ${ARTICLES[rule.kind]}, but got ${describeType(value)} instead.`,
      name,
      'invalid_type',
    );
  }
  if (typeof value !== 'number') return;
  const noun = rule.kind === 'integer' ? 'integer' : 'decimal';
  if (rule.min !== undefined && value < rule.min) {
    throw badParameter(
      `Invalid '${name}': ${noun} below minimum value. Expected a value >= ${rule.min}, but got ${value} instead.`,
      name,
      `${noun}_below_min_value`,
    );
  }
  if (rule.max !== undefined && value > rule.max) {
    throw badParameter(
      `Invalid '${name}': ${noun} above maximum value. Expected a value <= ${rule.max}, but got ${value} instead.`,
      name,
      `${noun}_above_max_value`,
    );
  }
}
