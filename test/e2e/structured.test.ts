/** Structured output: what a model is told when its answer misses the schema, what that costs, and what is refused. */
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, type JobView, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

const ATTEMPTS = 3;

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  const queue = { model: 'sim-1', attempts: ATTEMPTS, backoff: { baseSeconds: 0.05, maxSeconds: 0.1 } };
  stack = await startStack({
    ...{ tools: true, schemas: true, recorded: true, simulator: { streamEvents: 5 } },
    config: { queues: { generate: queue, extract: queue, counted: queue } },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

type Schema = Record<string, unknown>;
const closed = (properties: Schema, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const invoice = { name: 'invoice', schema: closed({ customer: { type: 'string' }, total: { type: 'number' } }) };
const document = (words: string): string => `Customer: Ada Lovelace\nTotal: 12.50\n${words}`;
const extract = (words: string, more: object = {}) =>
  submitJob(stack, { type: 'extract', document: document(words), schema: invoice, ...more });
const format = { type: 'json_schema', name: 'invoice', strict: true, schema: invoice.schema } as const;

/** What the upstream was asked about this document or question, call by call. */
const askedOf = (words: string) => stack.asked.filter((body) => JSON.stringify(body).includes(words));
const inputOf = (body: Schema | undefined) => body?.['input'] as { role: string; content: { text: string }[] }[];
const billOf = (job: JobView) => {
  const bill = new Map(stack.simulator.ledger().map((entry) => [entry.id, entry]));
  return job.attempts.map(({ upstream_id }) => bill.get(upstream_id ?? ''));
};
const sum = (numbers: (number | undefined)[]) => numbers.reduce<number>((all, one) => all + (one ?? 0), 0);
const metric = async (name: string, labels: string): Promise<number> => {
  const { text } = await call('GET', `${stack.api.url}/metrics`);
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name}{${labels}}`))
      ?.split(' ')
      .at(-1) ?? 0,
  );
};

describe('an answer that misses its schema', () => {
  it('is asked for again with what is wrong with it; each attempt has its own tokens, the job all of them', async () => {
    const id = await extract('misses once [[fault:badschema x1]]', { queue: 'counted' });
    const job = await finished(stack, id);
    expect(job).toMatchObject({
      status: 'completed',
      result: { output_parsed: { customer: 'Ada Lovelace', total: 12.5 } },
      attempts: [
        { outcome: 'retry', reason: 'schema_mismatch', counted: true, possibly_billed: false },
        { outcome: 'completed' },
      ],
      turns: [
        {
          number: 1,
          misses: [
            { path: '', problem: "must have required property 'customer'" },
            { path: '', problem: "must NOT have additional properties: 'unexpected'" },
          ],
        },
      ],
    });

    const [first, second, ...others] = askedOf('misses once');
    expect(others).toEqual([]);
    const [turn] = job.turns;
    expect(inputOf(second)).toEqual([...inputOf(first), ...(turn?.output ?? []), inputOf(second).at(-1)]);
    const told = inputOf(second).at(-1);
    expect(told?.role).toBe('user');
    expect(told?.content[0]?.text).toContain("- the whole: must have required property 'customer'");
    expect({ ...second, input: null }).toEqual({ ...first, input: null });

    const bill = billOf(job);
    expect(turn?.upstream_id).toBe(job.attempts[0]?.upstream_id);
    for (const [index, { usage }] of job.attempts.entries()) {
      expect(usage?.output_tokens).toBe(bill[index]?.output_tokens);
      expect(usage?.input_tokens).toBe(bill[index]?.input_tokens);
    }
    const input = sum(bill.map((entry) => entry?.input_tokens));
    const output = sum(bill.map((entry) => entry?.output_tokens));
    expect(job.usage).toMatchObject({ input_tokens: input, output_tokens: output, total_tokens: input + output });
    expect(await metric('millrace_tokens_total', 'queue="counted",direction="input"')).toBe(input);
    expect(await metric('millrace_tokens_total', 'queue="counted",direction="output"')).toBe(output);
  });

  it('always: the job fails when its attempts are used up, and has every answer, its misses and its tokens', async () => {
    const job = await finished(stack, await extract('misses always [[fault:badschema]]'));
    expect(job).toMatchObject({ status: 'failed', error: { code: 'schema_mismatch' } });
    expect(job.error?.details).toEqual(job.turns[0]?.misses);
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['retry', 'retry', 'failed']);
    expect(job.turns.map(({ number, misses }) => [number, misses?.length])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    // The last answer is the job's own.
    expect(job.result).toMatchObject({ output_text: expect.stringContaining('unexpected'), output_parsed: null });
    const bill = billOf(job);
    expect(bill.filter((entry) => entry !== undefined)).toHaveLength(ATTEMPTS);
    expect(job.usage?.output_tokens).toBe(sum(bill.map((entry) => entry?.output_tokens)));
    const asked = askedOf('misses always');
    expect(asked.map((body) => inputOf(body).length)).toEqual([1, 3, 5]);
  });

  it('because it is no JSON at all', async () => {
    const job = await finished(stack, await extract('prose first [[say:Sure, here it is.]]'));
    expect(job).toMatchObject({
      status: 'completed',
      turns: [{ misses: [{ path: '', problem: 'the answer is no JSON, or is nested too deeply' }] }],
      result: { output_parsed: { total: 12.5 } },
    });
  });

  it('is no refusal and no truncation: those end the job as what they are', async () => {
    const refused = await finished(stack, await extract('[[fault:refusal]]'));
    expect(refused).toMatchObject({ status: 'failed', error: { code: 'refusal' }, attempts: [{}], turns: [] });
    const cut = await finished(stack, await extract('[[fault:incomplete]]'));
    expect(cut).toMatchObject({ status: 'incomplete', error: null, attempts: [{}], turns: [] });
    const short = await finished(stack, await extract('short', { max_output_tokens: 16 }));
    expect(['completed', 'incomplete']).toContain(short.status);
  });

  it('of a kill -9 before the model is asked again: the paid answer is not made again, and the model hears of it', async () => {
    const id = await extract('killed between [[fault:badschema x1]] [[slow:800]]');
    await eventually('it is called', async () => (await readJob(stack, id)).status === 'in_progress');
    const pause = (verb: string) => call('POST', `${stack.api.url}/v1/queues/extract/${verb}`);
    expect((await pause('pause')).status).toBe(200);
    const missed = await eventually('it has missed', async () => {
      const job = await readJob(stack, id);
      return job.turns.length === 1 && job.status === 'queued' && job;
    });
    await stack.workers.splice(0)[0]?.kill();
    await stack.addWorker();
    expect((await pause('resume')).status).toBe(200);
    const job = await finished(stack, id, 60_000);
    expect(job).toMatchObject({
      status: 'completed',
      attempts: [{ possibly_billed: false }, { outcome: 'completed' }],
    });
    expect(askedOf('killed between')).toHaveLength(2);
    expect(job.turns).toEqual(missed.turns);
    expect(job.usage?.output_tokens).toBe(sum(billOf(job).map((entry) => entry?.output_tokens)));
  }, 90_000);

  it('of a configured zod schema is also one that its refinements find', async () => {
    const say = (value: object) => `[[say:${JSON.stringify(value)}]]`;
    const wrong = [
      { customer: 'Ada', total: 0, parts: [] },
      { customer: 'Ada', total: 12.5, parts: [12, 1] },
    ];
    const id = await extract(`refined ${wrong.map(say).join(' ')}`, { schema: 'receipt' });
    const job = await finished(stack, id);
    expect(job).toMatchObject({
      status: 'completed',
      turns: [
        { misses: [{ path: 'total', problem: 'must be above 0' }] },
        { misses: [{ path: 'parts', problem: 'the parts must add up to the total' }] },
      ],
      result: { output_parsed: { total: 12.5 } },
    });
    expect(JSON.stringify(inputOf(askedOf('refined').at(-1)))).toContain('- total: must be above 0');
  });
});

describe('a strict generation', () => {
  const ask = (input: string, more: object = {}) =>
    client.responses.create({ model: 'sim-1', input: document(input), text: { format }, ...more });

  it('is asked again too, and its response has what was right, and the tokens of both', async () => {
    const response = await ask('generation misses once [[fault:badschema x1]]');
    expect(JSON.parse(response.output_text)).toEqual({ customer: 'Ada Lovelace', total: 12.5 });
    expect(response.output).toHaveLength(1);
    const job = await readJob(stack, response.id);
    expect(job.turns).toHaveLength(1);
    expect(response.usage?.total_tokens).toBe(job.usage?.total_tokens);
    expect(askedOf('generation misses once')).toHaveLength(2);
  });

  it('is completed by its text when its attempts are used up, as OpenAI does', async () => {
    const response = await ask('generation misses always [[fault:badschema]]');
    expect(response).toMatchObject({ status: 'completed', output_text: expect.stringContaining('unexpected') });
    const job = await readJob(stack, response.id);
    expect(job).toMatchObject({ status: 'completed', error: null, result: { output_parsed: null } });
    expect([job.attempts.length, job.turns.length]).toEqual([ATTEMPTS, ATTEMPTS - 1]);
  });

  it('that is streamed is told as it comes, once', async () => {
    const stream = client.responses.stream({
      model: 'sim-1',
      input: document('streamed [[fault:badschema]]'),
      text: { format },
    });
    const response = await stream.finalResponse();
    expect(response.output_text).toContain('unexpected');
    expect(await readJob(stack, response.id)).toMatchObject({ attempts: [{ outcome: 'completed' }], turns: [] });
  });

  it('is not asked again for a refusal', async () => {
    const response = await ask('no [[fault:refusal]]');
    expect(response.output).toMatchObject([{ content: [{ type: 'refusal' }] }]);
    expect((await readJob(stack, response.id)).attempts).toHaveLength(1);
  });

  it('may call tools first: a call is no answer that could miss', async () => {
    const mine = {
      type: 'function',
      name: 'mine',
      parameters: { type: 'object', properties: {} },
      strict: false,
    } as const;
    const clients = await ask('[[call:mine]]', { tools: [mine] });
    expect(clients.output.map(({ type }) => type)).toEqual(['function_call']);
    expect((await readJob(stack, clients.id)).attempts).toHaveLength(1);

    const tools = [{ type: 'function', name: 'get_weather' } as never];
    const ours = await ask('[[args:get_weather {"city":"Oslo"}]] [[call:get_weather]] [[fault:badschema x2]]', {
      tools,
    });
    // Its second call misses, and is asked again; the tool's turn is kept, the missed one is not shown.
    expect(ours.output.map(({ type }) => type)).toEqual(['mcp_call', 'message']);
    const job = await readJob(stack, ours.id);
    expect(job.turns.map(({ misses }) => misses !== undefined)).toEqual([false, true]);
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['retry', 'completed']);
    expect(job.usage?.total_tokens).toBe(sum(job.attempts.map(({ usage }) => usage?.total_tokens)));
  });
});

describe('schemas that refer to themselves', () => {
  const tree = (next: unknown, more: Schema = {}): Schema => closed({ name: { type: 'string' }, next }, more);
  const node = { $ref: '#/$defs/node' };

  it.each([
    ['through a list', tree({ type: 'array', items: { $ref: '#' } })],
    ['through a property that may be null', tree({ anyOf: [{ $ref: '#' }, { type: 'null' }] })],
    ['through a definition', tree(node, { $defs: { node: tree({ anyOf: [node, { type: 'null' }] }) } })],
  ])('%s are taken, and answered', async (_, schema) => {
    const job = await finished(stack, await extract('Name: Ada', { schema: { name: 'tree', schema } }));
    expect(job).toMatchObject({ status: 'completed', attempts: [{}] });
    expect(job.result?.output_parsed).toHaveProperty('name');
  });

  it('as zod are taken too, many of them as well', async () => {
    const parsed = { records: [{ name: 'a', parts: [{ name: 'b', parts: [] }] }] };
    const id = await extract(`[[say:${JSON.stringify(parsed)}]]`, { schema: 'part', many: true });
    expect(await finished(stack, id)).toMatchObject({ status: 'completed', result: { output_parsed: parsed.records } });
  });

  it.each<[string, Schema, string]>([
    ['at the root', { $ref: '#' }, ''],
    ['each to the other', tree(node, { $defs: { node: { $ref: '#/$defs/b' }, b: node } }), 'properties.next'],
    [
      'as one of their own alternatives',
      tree(node, { $defs: { node: { anyOf: [node, { type: 'null' }] } } }),
      '$defs.node.anyOf[0]',
    ],
    ['without an end', tree({ $ref: '#' }), 'properties.next'],
  ])('%s are refused with their place, at every entrance', async (_, schema, place) => {
    const at = (root: string) => (place === '' ? root : `${root}.${place}`);
    const strict = { type: 'json_schema', name: 's', strict: true, schema };
    const [extraction] = await submitLines(stack.api.url, [
      { type: 'extract', document: 'd', schema: { name: 's', schema } },
    ]);
    expect(extraction?.error).toMatchObject({ code: 'invalid_json_schema', param: at('schema.schema') });
    const [generation] = await submitLines(stack.api.url, [
      { type: 'generate', request: { input: 'x', text: { format: strict } } },
    ]);
    expect(generation?.error).toMatchObject({ param: at('request.text.format.schema') });
    const refused = { status: 400, code: 'invalid_json_schema' };
    await expect(
      client.responses.create({ model: 'sim-1', input: 'x', text: { format: strict as never } }),
    ).rejects.toMatchObject({ ...refused, param: at('text.format.schema') });
    const response_format = { type: 'json_schema', json_schema: { name: 's', strict: true, schema } } as const;
    await expect(
      client.chat.completions.create({ model: 'sim-1', messages: [{ role: 'user', content: 'x' }], response_format }),
    ).rejects.toMatchObject({ ...refused, param: at('response_format.json_schema.schema') });

    const line = {
      custom_id: 'a',
      method: 'POST',
      url: '/v1/responses',
      body: { input: 'x', text: { format: strict } },
    };
    const file = await client.files.create({
      file: await toFile(Buffer.from(JSON.stringify(line)), 'in.jsonl'),
      purpose: 'batch',
    });
    const { id } = await client.batches.create({
      input_file_id: file.id,
      endpoint: '/v1/responses',
      completion_window: '24h',
    });
    const batch = await eventually('the batch has failed', async () => {
      const found = await client.batches.retrieve(id);
      return found.status === 'failed' && found;
    });
    expect(batch.errors?.data).toMatchObject([
      { code: 'invalid_json_schema', param: at('body.text.format.schema'), line: 1 },
    ]);
  });
});

describe('many records of a document', () => {
  const records = [1, 2, 3].map((total) => ({ customer: `c${total}`, total }));

  it('are a list, asked for as an object that strict mode takes', async () => {
    const words = `many of them [[say:${JSON.stringify({ records })}]]`;
    const job = await finished(stack, await extract(words, { many: true }));
    expect(job).toMatchObject({ status: 'completed', attempts: [{}], result: { output_parsed: records } });
    const [asked] = askedOf('many of them');
    expect(asked).toMatchObject({
      instructions: expect.stringMatching(/^Extract every record/),
      text: { format: { name: 'invoice', strict: true, schema: { required: ['records'], type: 'object' } } },
    });
  });

  it('are told of their misses by the place in the list', async () => {
    const wrong = { records: [...records, { customer: 'c4', total: 'four' }] };
    const words = `[[say:${JSON.stringify(wrong)}]] [[say:${JSON.stringify({ records })}]]`;
    const job = await finished(stack, await extract(words, { many: true }));
    expect(job.turns).toMatchObject([{ misses: [{ path: 'records.3.total', problem: 'must be number' }] }]);
    expect(job.result?.output_parsed).toEqual(records);

    const zod = {
      records: [
        { customer: 'a', total: 1, parts: [1] },
        { customer: 'b', total: -1, parts: [] },
      ],
    };
    const refined = await finished(
      stack,
      await extract(`[[say:${JSON.stringify(zod)}]]`, { many: true, schema: 'receipt' }),
    );
    expect(refined.turns).toMatchObject([{ misses: [{ path: 'records.1.total', problem: 'must be above 0' }] }]);
  });

  it('may be none', async () => {
    const job = await finished(stack, await extract('[[say:{"records":[]}]]', { many: true }));
    expect(job).toMatchObject({ status: 'completed', result: { output_parsed: [] } });
  });

  it('of a schema that would be too deep as one of many is refused', async () => {
    let schema: Schema = closed({ leaf: { type: 'string' } });
    for (let level = 1; level < 10; level++) schema = closed({ inner: schema });
    const reply = await call<{ error: { param: string; message: string } }>('POST', `${stack.api.url}/v1/jobs`, {
      ...{ type: 'extract', document: 'd', schema: { name: 'deep', schema }, many: true },
    });
    expect(reply.status).toBe(400);
    expect(reply.body.error.message).toContain('as one of many records');
    expect(reply.body.error.param).toMatch(/^schema\.schema\.properties\.inner/);
  });
});
