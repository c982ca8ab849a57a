import type { ApiKey } from '@millrace/core';
import { expect, it } from 'vitest';
import { openSessionTokens, SESSION_MS } from './session-token.ts';

const OPS: ApiKey = { name: 'ops', role: 'operator', secret: 'op-secret' };
const EYES: ApiKey = { name: 'eyes', role: 'viewer', secret: 'see' };

it('a session ends with its key: removed, or with another secret; another role is its own from then on', () => {
  const token = openSessionTokens([OPS, EYES]).issue(OPS);
  expect(openSessionTokens([OPS, EYES]).read(token)?.key).toBe(OPS);
  expect(openSessionTokens([OPS]).read(token)?.key).toBe(OPS);
  expect(openSessionTokens([EYES]).read(token)).toBeNull();
  expect(openSessionTokens([{ ...OPS, secret: 'new' }, EYES]).read(token)).toBeNull();
  expect(openSessionTokens([{ ...OPS, role: 'viewer' }]).read(token)?.key.role).toBe('viewer');
});

it('a session is over after its time, however much it is used', () => {
  let now = 1_000_000;
  const tokens = openSessionTokens([OPS], () => now);
  const token = tokens.issue(OPS);
  now += SESSION_MS - 1;
  expect(tokens.read(token)?.endsAt).toBe(1_000_000 + SESSION_MS);
  now += 1;
  expect(tokens.read(token)).toBeNull();
});

it('whatever is not signed by the key it names is no session', () => {
  const tokens = openSessionTokens([OPS, EYES]);
  const [payload = '', signature = ''] = tokens.issue(EYES).split('.');
  const claimed = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const asOps = Buffer.from(JSON.stringify({ ...claimed, name: 'ops' })).toString('base64url');
  const forged = [`${asOps}.${signature}`, `${asOps}.`, payload, `${payload}.AA`, '', '.', 'null.', 'bnVsbA.AA', '%.%'];
  for (const token of forged) expect(tokens.read(token), token).toBeNull();
});

it('each session has a token of its own for its pages', () => {
  const tokens = openSessionTokens([OPS]);
  const [one, two] = [tokens.read(tokens.issue(OPS)), tokens.read(tokens.issue(OPS))];
  expect(one?.csrf).toMatch(/^[\w-]{40,}$/);
  expect(one?.csrf).not.toBe(two?.csrf);
});
