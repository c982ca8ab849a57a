/** A job as code that submits it again: for a shell, for Python and for JavaScript with OpenAI's SDKs. */

export interface CodeTerms {
  /** Of the API, without a path. */
  baseUrl: string;
  queue: string;
  model: string | null;
  type: 'generate' | 'extract';
  /** The request as it is stored, as JSON. */
  request: unknown;
}

export const LANGUAGES = ['curl', 'Python', 'JavaScript'] as const;
export type Language = (typeof LANGUAGES)[number];

export function codeOf(language: Language, terms: CodeTerms): string {
  switch (language) {
    case 'curl':
      return curl(terms);
    case 'Python':
      return python(terms);
    case 'JavaScript':
      return javascript(terms);
  }
}

/** An extraction is a job of ours: OpenAI's API has none. */
function target({ type, queue, model, request }: CodeTerms): { path: string; body: Record<string, unknown> } {
  const asked = request as Record<string, unknown>;
  if (type === 'extract')
    return { path: '/v1/jobs', body: { type, queue, ...(model === null ? {} : { model }), ...asked } };
  return { path: '/v1/responses', body: { ...(model === null ? {} : { model }), ...asked } };
}

/** Nothing in single quotes means anything to a shell, but their end. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function curl(terms: CodeTerms): string {
  const { path, body } = target(terms);
  const lines = [
    `curl ${shellQuoted(`${terms.baseUrl}${path}`)}`,
    '  -H "Authorization: Bearer $MILLRACE_API_KEY"',
    "  -H 'Content-Type: application/json'",
    ...(path === '/v1/responses' ? [`  -H ${shellQuoted(`Millrace-Queue: ${terms.queue}`)}`] : []),
    `  --data-raw ${shellQuoted(json(body, 2))}`,
  ];
  return lines.join(' \\\n');
}

/** A lone surrogate would be no UTF-8: it is written as its escape, which JSON, Python and JavaScript all read. */
function json(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent);
}

function javascript(terms: CodeTerms): string {
  const { path, body } = target(terms);
  const open = [
    "import OpenAI from 'openai';",
    '',
    `const client = new OpenAI({ baseURL: ${json(`${terms.baseUrl}/v1`)}, apiKey: process.env.MILLRACE_API_KEY });`,
  ];
  if (path === '/v1/jobs') {
    return [
      ...open,
      `const job = await client.post('/jobs', { body: ${json(body, 2)} });`,
      'console.log(job.id);',
      '',
    ].join('\n');
  }
  return [
    ...open,
    `const response = await client.responses.create(${json(body, 2)}, {`,
    `  headers: { 'Millrace-Queue': ${json(terms.queue)} },`,
    '});',
    'console.log(response.output_text ?? response.id);',
    '',
  ].join('\n');
}

function python(terms: CodeTerms): string {
  const { path, body } = target(terms);
  const open = [
    'import os',
    '',
    'from openai import OpenAI',
    '',
    `client = OpenAI(base_url=${pythonValue(`${terms.baseUrl}/v1`)}, api_key=os.environ["MILLRACE_API_KEY"])`,
  ];
  if (path === '/v1/jobs') {
    return [
      ...open,
      `job = client.post("/jobs", cast_to=object, body=${pythonValue(body)})`,
      'print(job["id"])',
      '',
    ].join('\n');
  }
  const known = Object.entries(body).map(([name, value]) => `    ${pythonName(name)}: ${pythonValue(value, 1)},`);
  return [
    ...open,
    'response = client.responses.create(',
    '    **{',
    ...known.map((line) => `    ${line}`),
    '    },',
    `    extra_headers={"Millrace-Queue": ${pythonValue(terms.queue)}},`,
    ')',
    'print(response.output_text or response.id)',
    '',
  ].join('\n');
}

const pythonName = (name: string): string => pythonValue(name);

/** JSON's strings and numbers are Python's as well; its three words are not. */
function pythonValue(value: unknown, depth = 0): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'string') return pythonString(value);
  if (typeof value !== 'object') return json(value);
  const [inner, outer] = ['    '.repeat(depth + 1), '    '.repeat(depth)];
  const list = Array.isArray(value);
  const entries = list
    ? value.map((item) => pythonValue(item, depth + 1))
    : Object.entries(value as object).map(([name, item]) => `${pythonString(name)}: ${pythonValue(item, depth + 1)}`);
  const [open, close] = list ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return `${open}${close}`;
  return `${open}\n${entries.map((entry) => `${inner}${entry},\n`).join('')}${outer}${close}`;
}

/** Python reads JSON's escapes in its own strings, but for `\/`, which JSON.stringify does not write. */
function pythonString(text: string): string {
  return json(text);
}
