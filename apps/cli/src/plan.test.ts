import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from '@millrace/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlan } from './plan.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-plan-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FREE_PORTS = { MILLRACE_API_PORT: '0', MILLRACE_DASHBOARD_PORT: '0', MILLRACE_SIMULATOR_PORT: '0' };

function planFor(env: Record<string, string>, config: object = {}) {
  const file = join(folder, 'millrace.config.json');
  writeFileSync(file, JSON.stringify(config));
  return makePlan(readEnvironment({ ...FREE_PORTS, MILLRACE_DATA: folder, MILLRACE_CONFIG: file, ...env }), 2);
}

test('answers are simulated when neither the environment nor the configuration names an upstream', async () => {
  const plan = await planFor({}, { queues: { extract: { attempts: 2 } } });
  expect(plan.simulatorPort).toBeGreaterThan(0);
  const [upstream] = Object.values(plan.config.upstreams);
  expect(upstream?.baseURL).toBe(`http://127.0.0.1:${plan.simulatorPort}/v1`);
});

test('answers are real with a key, with a base URL, or with an upstream in the configuration', async () => {
  expect((await planFor({ OPENAI_API_KEY: 'sk-x' })).simulatorPort).toBe(null);
  expect((await planFor({ OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' })).simulatorPort).toBe(null);
  const upstreams = { local: { baseURL: 'http://127.0.0.1:8000/v1' } };
  expect((await planFor({}, { upstreams })).simulatorPort).toBe(null);
  const openai = { openai: { baseURL: 'https://api.openai.com/v1' } };
  expect((await planFor({}, { upstreams: openai })).simulatorPort).toBe(null);
});

test('an empty variable counts as unset', async () => {
  expect((await planFor({ OPENAI_API_KEY: '', OPENAI_BASE_URL: ' ' })).simulatorPort).not.toBe(null);
});

test('what listens on every address is reached by the loopback', async () => {
  const plan = await planFor({ MILLRACE_HOST: '0.0.0.0', MILLRACE_API_KEYS: 'a-long-secret' });
  expect(plan.apiUrl).toBe(`http://127.0.0.1:${plan.apiPort}`);
});

test('the data folder is shown from here where it is below, and whole elsewhere', async () => {
  expect((await planFor({})).shownDataDir).toBe(folder);
  expect((await planFor({ MILLRACE_DATA: 'below/.millrace' })).shownDataDir).toBe('below/.millrace');
});
