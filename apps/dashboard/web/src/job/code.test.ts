import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { type CodeTerms, codeOf } from './code.ts';

const HOSTILE = `it's $HOME \`id\` "quoted" \\ \n %s {x} \u2028 שלום`;
const TERMS: CodeTerms = {
  ...{ baseUrl: 'http://127.0.0.1:7070', queue: 'generate', model: 'gpt-5', type: 'generate' },
  request: { model: 'gpt-5', input: HOSTILE, store: true, metadata: null, top_p: 0.5, tools: [] },
};

it('curl sends the very request, whatever it holds, and names the key by its variable', async () => {
  let got: { body: string; headers: Record<string, unknown>; url: string | undefined } | null = null;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      got = { body, headers: request.headers, url: request.url };
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const command = codeOf('curl', { ...TERMS, baseUrl });
    await promisify(execFile)('sh', ['-c', command], { env: { ...process.env, MILLRACE_API_KEY: 'sk-1' } });
    expect(got).toMatchObject({
      url: '/v1/responses',
      headers: { authorization: 'Bearer sk-1', 'millrace-queue': 'generate' },
    });
    expect(JSON.parse((got as unknown as { body: string }).body)).toEqual(TERMS.request);
  } finally {
    server.close();
  }
});

it('JavaScript has the request as it is', () => {
  const code = codeOf('JavaScript', TERMS);
  const [, literal = ''] = /create\((\{[\s\S]*\n\}), \{\n/.exec(code) ?? [];
  expect(new Function(`return ${literal}`)()).toEqual(TERMS.request);
  expect(code).toContain('apiKey: process.env.MILLRACE_API_KEY');
});

it('Python has the request in its own words', () => {
  const code = codeOf('Python', TERMS);
  expect(code).toContain('"store": True,');
  expect(code).toContain('"metadata": None,');
  expect(code).toContain(`"input": ${JSON.stringify(HOSTILE)},`);
  expect(code).toContain('api_key=os.environ["MILLRACE_API_KEY"]');
});

it.each(['curl', 'Python', 'JavaScript'] as const)('an extraction is submitted as a job: %s', (language) => {
  const code = codeOf(language, { ...TERMS, type: 'extract', request: { document: 'x', schema: 'invoice' } });
  expect(code).toMatch(/\/jobs/);
  expect(code).toContain('"extract"');
});
