/** The OpenAPI document of our own surface, made of the schemas that requests are checked by and of the table of routes. */
import { z } from 'zod';
import { ErrorObject } from './objects.ts';
import type { Operation, Parameter } from './operation.ts';
import { OPERATIONS } from './operations.ts';

const ALWAYS: Record<number, string> = {
  400: 'The request is refused: the error names the field, its problem and the remedy.',
  401: 'No key, or one that is not known here.',
  403: 'The key’s role may not do this.',
  503: 'Not now: Redis is away or full. Retry-After says when.',
};

/** OpenAPI 3.1. @param passedOn paths below which requests go to the upstream */
export function openApiDocument(passedOn: readonly string[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS) {
    const path = paths[operation.path] ?? {};
    path[operation.method] = operationObject(operation);
    paths[operation.path] = path;
  }
  const passed = passedOn.length === 0 ? '' : ` Passed on to the upstream, as they are: ${passedOn.join(', ')}.`;
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version: '0.1.0',
      description: `A durable job queue for language-model work that speaks OpenAI’s API.${passed}`,
    },
    servers: [{ url: '/' }],
    tags: [...new Set(OPERATIONS.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ key: [] }],
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: jsonSchema(ErrorObject) },
    },
    paths,
  };
}

function operationObject(operation: Operation): Record<string, unknown> {
  const {
    method,
    path,
    tag,
    summary,
    description,
    open,
    query = {},
    headers = {},
    body,
    answer,
    errors = {},
  } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const refusals = open ? {} : { ...ALWAYS, ...errors };
  return {
    operationId: `${method}${path.replace(/[^A-Za-z]+(\w)/g, (_, letter: string) => letter.toUpperCase()).replace(/\W/g, '')}`,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(open ? { security: [] } : {}),
    parameters: [
      ...inPath.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...Object.entries(query).map(([name, one]) => parameter(name, 'query', one)),
      ...Object.entries(headers).map(([name, one]) => parameter(name, 'header', one)),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body.content) } }),
    responses: {
      [answer.status]: {
        description: answer.description,
        content: {
          [answer.contentType ?? 'application/json']:
            answer.schema === undefined ? { schema: { type: 'string' } } : { schema: jsonSchema(answer.schema) },
        },
      },
      ...Object.fromEntries(
        Object.entries(refusals).map(([status, why]) => [
          status,
          { description: why, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
        ]),
      ),
    },
  };
}

function parameter(
  name: string,
  where: 'query' | 'header',
  { schema, description }: Parameter,
): Record<string, unknown> {
  return { name, in: where, required: false, description, schema };
}

function contentOf(content: NonNullable<Operation['body']>['content']): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema, example }]) => [
      type,
      {
        schema: schema instanceof z.ZodType ? jsonSchema(schema) : schema,
        ...(example === undefined ? {} : { example }),
      },
    ]),
  );
}

/** What zod checks in code of its own is any value to a schema. */
function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
  return rest;
}
