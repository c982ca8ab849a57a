import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import type { Config } from './config.ts';
import { readEnvironment } from './environment.ts';
import { watchConfig } from './watch-config.ts';

/** A watched file, what was read of it and what was wrong with it. */
async function watched(name: string, text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-watch-'));
  const file = join(folder, name);
  await writeFile(file, text);
  const read: Config[] = [];
  const faults: string[] = [];
  const watching = watchConfig({
    ...{ file, environment: readEnvironment({}), everyMs: 10 },
    onChange: (config) => read.push(config),
    onFault: ({ message }) => faults.push(message),
  });
  onTestFinished(async () => {
    watching.close();
    await rm(folder, { recursive: true });
  });
  const share = () => read.at(-1)?.queues.q?.route?.responses;
  return { write: (next: string) => writeFile(file, next), read, faults, share, watching };
}

const json = (responses: number): string => JSON.stringify({ queues: { q: { route: { responses } } } });
const module = (responses: number): string => `export default ${json(responses)};\n`;

it.each([
  ['millrace.config.json', json],
  ['millrace.config.ts', module],
])('%s is read again each time it has changed', async (name, text) => {
  const { write, share } = await watched(name, text(0.1));
  for (const next of [0.3, 0.9, 0.3]) {
    await write(text(next));
    await eventually(`the share is ${next}`, () => share() === next);
  }
});

it('a faulty file is told once with its faults, and nothing of it is handed on', async () => {
  const { write, read, faults, share } = await watched('millrace.config.json', json(0.1));
  await write(json(0.2));
  await eventually('the first change is read', () => share() === 0.2);
  await write(json(1.5));
  await eventually('the fault is told', () => faults.length === 1);
  expect(faults[0]).toContain('queues.q.route.responses: ');
  await write('{');
  await eventually('the other fault is told', () => faults.length === 2);
  await write(json(0.4));
  await eventually('what is right again is read', () => share() === 0.4);
  expect(faults).toHaveLength(2);
  expect(read.every(({ queues }) => [0.1, 0.2, 0.4].includes(queues.q?.route?.responses ?? -1))).toBe(true);
});
