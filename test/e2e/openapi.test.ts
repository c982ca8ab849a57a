/** The document of our surface: it describes every route there is, and what they really answer. */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { call } from '../harness/http.ts';
import { LEAST_CONTRAST } from '../harness/least-contrast.ts';
import { type Stack, startStack } from '../harness/stack.ts';

interface Document {
  openapi: string;
  paths: Record<
    string,
    Record<
      string,
      {
        security?: unknown[];
        requestBody?: { content: Record<string, { example?: unknown }> };
        responses: Record<string, { content: Record<string, { schema: object }> }>;
      }
    >
  >;
}

let stack: Stack;
let document: Document;
beforeAll(async () => {
  stack = await startStack({ env: { MILLRACE_API_KEYS: 'ops:operator:secret-1' } });
  document = (await call<Document>('GET', `${stack.api.url}/openapi.json`)).body;
}, 60_000);
afterAll(() => stack?.stop());

const AUTH = { authorization: 'Bearer secret-1' };
const described = (): string[] =>
  Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );

/** The routes as the source has them: the app's own, and those of each router below its path. */
async function served(): Promise<string[]> {
  const folder = join(import.meta.dirname, '../../apps/api/src');
  const app = await readFile(join(folder, 'app.ts'), 'utf8');
  const found = [...app.matchAll(/app\.(get|post|delete)\('([^']+)'/g)].map(([, method, path]) => `${method} ${path}`);
  const mounts = new Map(
    [...app.replace('FILES_PATH,', "'/v1/files',").matchAll(/app\.use\('?([^',]+)'?,\s*(\w+Routes)\(/g)].map(
      ([, path, name]) => [name as string, path as string],
    ),
  );
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.includes('test'))) {
    const source = await readFile(join(folder, file), 'utf8');
    const name = /export function (\w+Routes)\(/.exec(source)?.[1];
    if (name === undefined) continue;
    const mount = mounts.get(name);
    expect(mount, `${file} is mounted`).toBeDefined();
    for (const [, method, path = ''] of source.matchAll(/routes\.(get|post|delete)\(\s*'([^']+)'/g)) {
      found.push(`${method} ${mount}${path === '/' ? '' : path.replace(/[:*](\w+)/g, '{$1}')}`);
    }
  }
  return [...new Set(found)];
}

describe('the document', () => {
  it('is valid OpenAPI 3.1, and needs no key', async () => {
    expect(document.openapi).toBe('3.1.0');
    const result = await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  it('describes every route that is served, and no other', async () => {
    const routes = await served();
    expect(routes.length).toBeGreaterThan(30);
    expect(described().sort()).toEqual(routes.sort());
  });

  it('says truly which routes need a key', async () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { security }] of Object.entries(operations)) {
        const reply = await fetch(`${stack.api.url}${path.replace(/\{\w+\}/g, 'x')}`, { method: method.toUpperCase() });
        await reply.arrayBuffer();
        expect(reply.status === 401, `${method} ${path}`).toBe(security === undefined);
      }
    }
  });

  it('has examples that are taken as they stand', async () => {
    let sent = 0;
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const { example } of Object.values(operations.post?.requestBody?.content ?? {})) {
        if (example === undefined) continue;
        sent++;
        expect((await call('POST', `${stack.api.url}${path}`, example, AUTH)).status, path).toBeLessThan(300);
      }
    }
    expect(sent).toBeGreaterThanOrEqual(2);
  });

  it('describes what is answered: jobs, responses, files, batches and errors', async () => {
    const require = createRequire(createRequire(import.meta.url).resolve('@seriousme/openapi-schema-validator'));
    const Ajv = require('ajv/dist/2020.js').default;
    const ajv = new Ajv({ strict: false });
    const check = (path: string, method: string, status: number, body: unknown): void => {
      const content = document.paths[path]?.[method]?.responses[status]?.content['application/json'];
      const schema = JSON.parse(JSON.stringify(content?.schema).replaceAll('#/components', 'doc#/components'));
      const validate = ajv.compile(schema);
      expect(validate(body), `${method} ${path} ${status}: ${JSON.stringify(validate.errors)}`).toBe(true);
    };
    ajv.addSchema({ $id: 'doc', ...document });
    const submitted = await call(
      'POST',
      `${stack.api.url}/v1/jobs`,
      { type: 'generate', request: { input: 'x' } },
      AUTH,
    );
    check('/v1/jobs', 'post', 202, submitted.body);
    const { id } = submitted.body as { id: string };
    const read = (path: string) => call('GET', `${stack.api.url}${path}`, undefined, AUTH);
    check('/v1/jobs/{id}', 'get', 200, (await read(`/v1/jobs/${id}`)).body);
    check('/v1/jobs', 'get', 200, (await read('/v1/jobs')).body);
    check('/v1/responses/{id}', 'get', 200, (await read(`/v1/responses/${id}`)).body);
    check('/v1/responses/{id}/input_items', 'get', 200, (await read(`/v1/responses/${id}/input_items`)).body);
    check('/v1/jobs/{id}', 'get', 404, (await read(`/v1/jobs/resp_${'0'.repeat(48)}`)).body);
    const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'secret-1', maxRetries: 0 });
    const line = { custom_id: 'a', method: 'POST', url: '/v1/responses', body: { input: 'x' } };
    const file = await client.files.create({ file: new File([JSON.stringify(line)], 'in.jsonl'), purpose: 'batch' });
    check('/v1/files/{id}', 'get', 200, (await read(`/v1/files/${file.id}`)).body);
    const batch = await client.batches.create({
      input_file_id: file.id,
      endpoint: '/v1/responses',
      completion_window: '24h',
    });
    check('/v1/batches/{id}', 'get', 200, (await read(`/v1/batches/${batch.id}`)).body);
    const refused = await call('POST', `${stack.api.url}/v1/responses`, { messages: [] }, AUTH);
    check('/v1/responses', 'post', 400, refused.body);
  });
});

const missing = browserMissing();
describe.skipIf(missing !== null)(`the reference page${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let launched: LaunchedBrowser;
  beforeAll(async () => {
    launched = await launchBrowser();
  }, 150_000);
  afterAll(() => launched?.close());

  it.each(['light', 'dark'] as const)(
    'can be read in %s, narrow and wide, and loads nothing from elsewhere',
    async (colorScheme) => {
      for (const width of [360, 1280]) {
        const complaints: string[] = [];
        await withPage(
          launched.browser,
          'about:blank',
          async (page) => {
            page.on('console', (message) => complaints.push(message.text()));
            page.on('request', (request) => request.url().startsWith(stack.api.url) || complaints.push(request.url()));
            await page.goto(`${stack.api.url}/reference`);
            expect(await page.title()).toBe('Millrace API');
            expect(await page.locator('h3').count()).toBe(described().length);
            expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
            const least = (await page.evaluate(LEAST_CONTRAST)) as { ratio: number; text: string };
            expect(least.ratio, least.text).toBeGreaterThanOrEqual(4.5);
          },
          { colorScheme, viewport: { width, height: 800 } },
        );
        expect(complaints).toEqual([]);
      }
    },
  );
});
