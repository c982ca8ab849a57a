/**
 * `npx pnpm@12 example <name>`: runs an example against a stack of its own, or against the Millrace at MILLRACE_URL.
 * Whatever happens, all that was started is ended, and the exit code says how it went.
 */
import { mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { billInWords } from './bill.ts';
import type { Run } from './example.ts';
import { connect } from './millrace.ts';
import { type OwnStack, startOwnStack } from './own-stack.ts';

const EXAMPLES: Record<string, { about: string; load: () => Promise<{ run: Run }> }> = {
  'blog-posts': { about: 'topics to outlines to posts: a flow', load: () => import('./blog-posts/run.ts') },
  documents: { about: 'a folder of documents to a table', load: () => import('./documents/run.ts') },
  research: { about: 'questions to findings to a report that cites them', load: () => import('./research/run.ts') },
  'support-agent': { about: 'a conversation with tools run by workers', load: () => import('./support-agent/run.ts') },
};
/** What a shell reports of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;
const OPENAI = 'https://api.openai.com/v1';

const say = (line: string): void => console.log(`  ${line}`);
const shown = (file: string): string => relative(process.cwd(), file) || '.';
/** An empty variable counts as unset. */
const variable = (name: string): string | undefined => process.env[name]?.trim() || undefined;

/** @returns the exit code */
async function runExample(name: string, input: string | undefined, stop: AbortSignal): Promise<number> {
  const example = Object.hasOwn(EXAMPLES, name) ? EXAMPLES[name] : undefined;
  if (example === undefined) {
    console.log(name === '' ? 'Name an example:' : `There is no example '${name.slice(0, 80)}'. There is:`);
    for (const [known, { about }] of Object.entries(EXAMPLES)) say(`npx pnpm@12 example ${known.padEnd(14)} ${about}`);
    return 1;
  }
  console.log(`example ${name}`);
  const configFile = resolve(import.meta.dirname, name, 'millrace.config.ts');
  const given = variable('MILLRACE_URL')?.replace(/(\/v1)?\/?$/, '');
  if (given === undefined) own = await startOwn(name, configFile, stop);
  try {
    if (given !== undefined)
      say(`on the Millrace at ${given}; its configuration must have what ${shown(configFile)} has`);
    await own?.ready;
    const out = resolve('out', name);
    mkdirSync(out, { recursive: true });
    const millrace = await connect(given ?? own?.url ?? '', variable('MILLRACE_API_KEY') ?? null, stop);
    const upstream = given === undefined ? ownUpstream() : 'unknown';
    const { run } = await example.load();
    const work = run({ millrace, upstream, out, input, say, shown });
    const { results, bill, failures } = await Promise.race([work, ...(own === undefined ? [] : [own.broken])]);
    for (const result of results) say(result);
    say(billInWords(bill));
    for (const failure of failures) say(`failed: ${failure}`);
    return failures.length === 0 ? 0 : 1;
  } finally {
    await own?.stop();
  }
}

async function startOwn(name: string, configFile: string, stop: AbortSignal): Promise<OwnStack> {
  const data = resolve(variable('MILLRACE_DATA') ?? '.millrace', 'examples', name);
  if (ownUpstream() === 'simulator') {
    say(
      'answers are simulated: right in form, nonsense in content; set OPENAI_API_KEY or OPENAI_BASE_URL for real ones',
    );
  } else say(`answers come from ${ownUpstream()} and are paid for`);
  say(`starting a stack of its own; what it says is in ${shown(join(data, 'start.log'))}`);
  return startOwnStack(data, configFile, stop);
}

/** Who answers in a stack of our own. */
function ownUpstream(): string {
  const url = variable('OPENAI_BASE_URL');
  if (url !== undefined) return url.replace(/\/$/, '');
  return variable('OPENAI_API_KEY') === undefined ? 'simulator' : OPENAI;
}

const stopping = new AbortController();
let own: OwnStack | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!stopping.signal.aborted) stopping.abort();
    // A second wish is passed on: the stack hurries then.
    else void own?.stop();
  });
}
const [name = '', input] = process.argv.slice(2);
try {
  process.exitCode = await runExample(name, input, stopping.signal);
} catch (error) {
  console.log(stopping.signal.aborted ? '  interrupted: the next run goes on from here' : `  failed: ${words(error)}`);
  process.exitCode = stopping.signal.aborted ? INTERRUPTED : 1;
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
