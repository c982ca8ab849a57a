/** The body of POST /v1/flows, checked: every step is a job that could be stored, no template names what cannot be there. */
import { z } from 'zod';
import type { Config } from './config.ts';
import { InvalidRequestError } from './errors.ts';
import { schemaOf } from './extract-request.ts';
import { FAILURE_POLICIES, type FlowDefinition, type FlowStep, STEP_FIELDS } from './flow.ts';
import { fillTemplates, type Template, TemplateError, templatesIn, valueAt } from './flow-template.ts';
import type { ExtractBody } from './job.ts';
import { jobOfRequest } from './new-job.ts';
import { firstFault, isJsonObject, unknownParameter } from './responses-request-fault.ts';
import { checkMetadataBounds, Metadata } from './responses-request-metadata.ts';

const MAX_STEPS = 100;
export const MAX_ITEMS = 10_000;
const STEP_NAME = /^[A-Za-z0-9_-]{1,64}$/;

const Step = z.looseObject({
  needs: z.exactOptional(z.array(z.string())),
  for_each: z.exactOptional(z.union([z.string(), z.array(z.unknown()).max(MAX_ITEMS)])),
  on_failure: z.exactOptional(z.enum(FAILURE_POLICIES)),
});
export const FlowRequest = z.object({
  name: z.exactOptional(z.string().min(1).max(200)),
  input: z.exactOptional(z.unknown()),
  metadata: z.exactOptional(Metadata),
  idempotency_key: z.exactOptional(z.string().min(1).max(255)),
  steps: z.record(z.string(), Step),
});

/** @throws InvalidRequestError for the first fault; `param` is its path: `steps.post.request.input`. */
export function parseFlow(config: Config, body: unknown): FlowDefinition {
  if (!isJsonObject(body))
    throw new InvalidRequestError('The body must be an object with steps.', null, 'invalid_type');
  for (const field of Object.keys(body)) if (!Object.hasOwn(FlowRequest.shape, field)) throw unknownParameter(field);
  const parsed = FlowRequest.safeParse(body);
  if (!parsed.success) throw firstFault(parsed.error, body, '');
  const { steps: given, name, input, metadata } = parsed.data;
  if (metadata !== undefined) checkMetadataBounds(metadata, 'metadata');
  const names = Object.keys(given);
  if (names.length === 0 || names.length > MAX_STEPS) {
    throw new InvalidRequestError(`'steps' must have 1 to ${MAX_STEPS} steps.`, 'steps', 'invalid_value');
  }
  const steps: Record<string, FlowStep> = {};
  for (const [step, { needs = [], for_each, on_failure = 'fail', ...job }] of Object.entries(given)) {
    if (!STEP_NAME.test(step)) {
      const message = `'${step.slice(0, 80)}' is no name of a step: use letters, digits, "_" and "-", at most 64.`;
      throw new InvalidRequestError(message, 'steps', 'invalid_value');
    }
    const at = `steps.${step}`;
    refuseOwnKey(job, at);
    const named = [...templatesIn(job, at), ...templatesIn(for_each, `${at}.for_each`)];
    const fed = named.flatMap((template) => checkTemplate(template, { given, input, each: for_each !== undefined }));
    for (const need of needs) if (!Object.hasOwn(given, need)) throw unknownStep(`${at}.needs`, need, names);
    steps[step] = {
      needs: [...new Set([...needs, ...fed])],
      ...(for_each === undefined ? {} : { forEach: for_each }),
      onFailure: on_failure,
      job,
    };
  }
  refuseCycle(steps);
  for (const [step, { job }] of Object.entries(steps)) refuseFilledPlace(job, `steps.${step}`);
  for (const [step, { job, needs }] of Object.entries(steps)) {
    checkJob(config, job, input, `steps.${step}`);
    for (const template of templatesIn(job, `steps.${step}`)) checkSchemaPath(config, steps, template, needs);
  }
  return { name: name ?? null, metadata: (metadata as Record<string, string>) ?? null, input: input ?? null, steps };
}

/** A step's jobs are made once whatever happens; a key of theirs would make a flow done again stumble over the first. */
function refuseOwnKey(job: Record<string, unknown>, at: string): void {
  if (!Object.hasOwn(job, 'idempotency_key')) return;
  const message = `Unsupported parameter: '${at}.idempotency_key'. The jobs of a step are made once by themselves; give the flow its 'idempotency_key' instead.`;
  throw new InvalidRequestError(message, `${at}.idempotency_key`, 'unsupported_parameter');
}

/** Where a step's jobs are must be known before they are made. */
function refuseFilledPlace(job: Record<string, unknown>, at: string): void {
  for (const field of ['queue', 'type']) {
    const [template] = templatesIn(job[field], `${at}.${field}`);
    if (template === undefined) continue;
    const message = `{{${template.text.slice(0, 100)}}} in '${template.at}': a step's '${field}' must be written out, without templates.`;
    throw new InvalidRequestError(message, template.at, 'invalid_template');
  }
}

/** @returns the step it names, if any */
function checkTemplate(
  { at, text, parts }: Template,
  { given, input, each }: { given: object; input: unknown; each: boolean },
): string[] {
  const [root, ...rest] = parts;
  const refuse = (why: string): InvalidRequestError =>
    new InvalidRequestError(`{{${text.slice(0, 100)}}} in '${at}' ${why}`, at, 'invalid_template');
  switch (root) {
    case 'steps': {
      const [step = '', field = ''] = rest;
      if (!Object.hasOwn(given, step)) throw unknownStep(at, step, Object.keys(given));
      if (!(STEP_FIELDS as readonly string[]).includes(field)) {
        throw refuse(`names no field of a step: there is ${STEP_FIELDS.join(', ')}.`);
      }
      return [step];
    }
    case 'input':
      try {
        valueAt(input ?? null, rest, 'input');
      } catch (error) {
        throw error instanceof TemplateError ? refuse(`cannot be filled: ${error.message}.`) : error;
      }
      return [];
    case 'item':
    case 'index':
      if (each && !at.endsWith('.for_each')) return [];
      throw refuse("has a meaning only in the job of a step with 'for_each'.");
    default:
      throw refuse('is none: write {{steps.NAME.output_text}}, {{input.…}}, {{item}} or {{index}}.');
  }
}

function unknownStep(at: string, step: string, names: readonly string[]): InvalidRequestError {
  const message = `'${at}' names the step '${step.slice(0, 80)}', and there is ${names.join(', ')}.`;
  return new InvalidRequestError(message, at, 'unknown_step');
}

function refuseCycle(steps: Record<string, FlowStep>): void {
  const over = new Set<string>();
  for (;;) {
    const next = Object.keys(steps).filter((step) => !over.has(step) && steps[step]?.needs.every((n) => over.has(n)));
    if (next.length === 0) break;
    for (const step of next) over.add(step);
  }
  const left = Object.keys(steps).filter((step) => !over.has(step));
  if (left.length === 0) return;
  const way = [left[0] as string];
  for (;;) {
    const step = steps[way.at(-1) as string]?.needs.find((need) => !over.has(need)) as string;
    const again = way.indexOf(step);
    way.push(step);
    if (again === -1) continue;
    const message = `The steps ${way.slice(again).join(' → ')} need each other: none could ever start.`;
    throw new InvalidRequestError(message, `steps.${step}`, 'cyclic_steps');
  }
}

/** The job as it would be with any text in place of what is not known yet. */
function checkJob(config: Config, job: Record<string, unknown>, input: unknown, at: string): void {
  const body = fillTemplates(job, ([root, ...rest]) => (root === 'input' ? valueAt(input, rest, 'input') : 'x'));
  try {
    jobOfRequest(config, body, null);
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    const param = error.param === null ? at : `${at}.${error.param}`;
    throw new InvalidRequestError(`In '${at}': ${error.message}`, param, error.code);
  }
}

/** Where the schema of what is named is known, that it has what is named. */
function checkSchemaPath(
  config: Config,
  steps: Record<string, FlowStep>,
  { at, text, parts: [root, name = '', field, ...rest] }: Template,
  needs: readonly string[],
): void {
  if (root !== 'steps' || field !== 'output_parsed' || !needs.includes(name)) return;
  const step = steps[name];
  if (step === undefined || step.forEach !== undefined || step.job['many'] === true) return;
  let schema: unknown = outputSchema(config, step.job);
  for (const part of rest) {
    const { type, properties, items } = isJsonObject(schema) ? schema : {};
    if (type === 'object' && isJsonObject(properties)) {
      if (!Object.hasOwn(properties, part)) {
        const message = `{{${text}}} in '${at}': the schema of '${name}' has no '${part}'; it has ${Object.keys(properties).join(', ')}.`;
        throw new InvalidRequestError(message, at, 'invalid_template');
      }
      schema = properties[part];
    } else if (type === 'array') schema = items;
    else return;
  }
}

function outputSchema(config: Config, job: Record<string, unknown>): unknown {
  if (job['type'] === 'extract') return schemaOf(job as unknown as ExtractBody, config.schemas)?.schema;
  const { text } = (job['request'] ?? {}) as { text?: { format?: { schema?: unknown } } };
  return text?.format?.schema;
}
