import { describe, expect, it } from 'vitest';
import { resolveConfig } from './config.ts';
import type { InvalidRequestError } from './errors.ts';
import { parseFlow } from './flow-request.ts';

const environment = { openaiApiKey: null, openaiBaseUrl: null } as never;
const schema = {
  type: 'object',
  properties: { topics: { type: 'array', items: { type: 'string' } } },
  required: ['topics'],
  additionalProperties: false,
};
const config = resolveConfig({ schemas: { plan: schema } }, environment);
const generate = (input: string, more: object = {}) => ({ type: 'generate', request: { input }, ...more });
const refusal = (steps: object, input?: unknown): Partial<InvalidRequestError> => {
  try {
    parseFlow(config, { steps, ...(input === undefined ? {} : { input }) });
  } catch (error) {
    return error as InvalidRequestError;
  }
  throw new Error('it was taken');
};

describe('a flow', () => {
  it('needs the steps that it names, and those that its templates name', () => {
    const flow = parseFlow(config, {
      steps: {
        a: generate('x'),
        b: generate('{{steps.a.output_text}}', { needs: ['c'] }),
        c: generate('y'),
        d: generate('{{item}}', { for_each: '{{steps.b.output_parsed}}' }),
      },
    });
    expect(Object.entries(flow.steps).map(([name, { needs }]) => [name, needs])).toEqual([
      ['a', []],
      ['b', ['c', 'a']],
      ['c', []],
      ['d', ['b']],
    ]);
  });

  it.each([
    ['a step that is not there', { a: generate('{{steps.b.output_text}}') }, 'steps.a.request.input', 'unknown_step'],
    ['a need that is not there', { a: generate('x', { needs: ['b'] }) }, 'steps.a.needs', 'unknown_step'],
    [
      'a field no step has',
      { a: generate('x'), b: generate('{{steps.a.text}}') },
      'steps.b.request.input',
      'invalid_template',
    ],
    ['words that are no template', { a: generate('{{ name }}') }, 'steps.a.request.input', 'invalid_template'],
    ['an item without a list', { a: generate('{{item}}') }, 'steps.a.request.input', 'invalid_template'],
    [
      'a list made of its own items',
      { a: generate('x', { for_each: '{{item}}' }) },
      'steps.a.for_each',
      'invalid_template',
    ],
    ['an input that is not there', { a: generate('{{input.topic}}') }, 'steps.a.request.input', 'invalid_template'],
    [
      'a job that could not be stored',
      { a: { type: 'generate', request: { inputs: 'x' } } },
      'steps.a.request.inputs',
      'unknown_parameter',
    ],
    ['a step without a type', { a: { request: { input: 'x' } } }, 'steps.a.type', 'missing_required_parameter'],
    ['a name with a dot', { 'a.b': generate('x') }, 'steps', 'invalid_value'],
    ['no steps', {}, 'steps', 'invalid_value'],
    [
      'a job with a key of its own',
      { a: generate('x', { idempotency_key: 'k' }) },
      'steps.a.idempotency_key',
      'unsupported_parameter',
    ],
    [
      'a queue that is filled in',
      { a: generate('x', { queue: '{{item}}', for_each: ['generate'] }) },
      'steps.a.queue',
      'invalid_template',
    ],
    [
      'a type that is filled in',
      { a: { ...generate('x'), type: '{{item}}', for_each: ['generate'] } },
      'steps.a.type',
      'invalid_template',
    ],
    ['a policy there is not', { a: generate('x', { on_failure: 'ignore' }) }, 'steps.a.on_failure', 'invalid_value'],
  ])('is refused with its place for %s', (_, steps, param, code) => {
    expect(refusal(steps)).toMatchObject({ name: 'InvalidRequestError', param, code });
  });

  it('is refused for a cycle, which it names', () => {
    const steps = {
      start: generate('x'),
      a: generate('{{steps.c.output_text}} {{steps.start.output_text}}'),
      b: generate('{{steps.a.output_text}}'),
      c: generate('{{steps.b.output_text}}'),
    };
    const { code, message } = refusal(steps);
    expect(code).toBe('cyclic_steps');
    expect(message).toContain('a → c → b → a');
    expect(refusal({ a: generate('x', { needs: ['a'] }) }).message).toContain('a → a');
  });

  it('is refused for a field that the schema of an earlier step has not', () => {
    const plan = { type: 'extract', document: 'x', schema: 'plan' };
    const steps = (text: string) => ({ plan, post: generate(text) });
    expect(refusal(steps('{{steps.plan.output_parsed.subjects}}'))).toMatchObject({
      param: 'steps.post.request.input',
      code: 'invalid_template',
    });
    expect(() => parseFlow(config, { steps: steps('{{steps.plan.output_parsed.topics.0}}') })).not.toThrow();
  });
});
