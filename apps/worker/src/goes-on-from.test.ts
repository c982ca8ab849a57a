import { expect, it } from 'vitest';
import { type GoesOnFrom, goingOn, withCarried } from './goes-on-from.ts';

const OURS = 'resp_ours';
const said = [
  { role: 'user', content: 'one' },
  { role: 'assistant', content: 'two' },
];
const carried = (instructions: string | null): GoesOnFrom => ({
  kind: 'carried',
  ids: { ours: OURS, upstreams: null },
  history: { kind: 'history', items: said, instructions, root: 'resp_root', characters: 70 },
});

it('an upstream that remembers is asked by its own id, and gets nothing else', () => {
  const body = { input: 'three', previous_response_id: OURS };
  const from: GoesOnFrom = { kind: 'answered', ids: { ours: OURS, upstreams: 'resp_theirs' } };
  expect(goingOn(body, from)).toEqual({ input: 'three', previous_response_id: 'resp_theirs' });
  expect(goingOn(body, { kind: 'foreign' })).toBe(body);
});

it('one that does not is given what was said before what is asked, and no id', () => {
  const body = { input: 'three', previous_response_id: OURS };
  expect(goingOn(body, carried(null))).toEqual({ input: [...said, { role: 'user', content: 'three' }] });
  expect(goingOn({ previous_response_id: OURS }, carried(null))).toEqual({ input: said });
});

it('instructions that are carried stand where the request has none', () => {
  for (const own of [{}, { instructions: null }]) {
    expect(goingOn({ input: 'three', ...own }, carried('be brief'))).toHaveProperty('instructions', 'be brief');
  }
  expect(goingOn({ input: 'three', instructions: 'sing' }, carried(null))).toHaveProperty('instructions', 'sing');
});

it('what is carried counts as asked', () => {
  const ticket = { type: 'generate', model: null, characters: 100 };
  expect(withCarried(ticket, carried('be brief')).characters).toBe(178);
  expect(withCarried(ticket, { kind: 'nothing' })).toBe(ticket);
});
