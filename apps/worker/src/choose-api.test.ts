import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseApi, conversationKey, pointOf } from './choose-api.ts';

const body = { input: 'hello' };
const keys = Array.from({ length: 10_000 }, (_, index) => `resp_${index.toString(16).padStart(48, '0')}`);
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('a share', () => {
  it('takes that much of the conversations, within 2 %', () => {
    for (const wanted of [0, 0.01, 0.1, 0.3, 0.5, 0.9, 1]) {
      const taken = keys.filter((key) => chooseApi(wanted, key, body) === 'responses').length;
      expect(Math.abs(taken / keys.length - wanted), `${taken} for ${wanted}`).toBeLessThan(0.02);
    }
  });

  it('that is raised only moves conversations to the Responses API, and that is lowered only away from it', () => {
    fc.assert(
      fc.property(share, share, fc.string(), (one, other, key) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        return chooseApi(less, key, body) === 'chat' || chooseApi(more, key, body) === 'responses';
      }),
    );
  });

  it('of 1 takes all, of 0 none, and without one all go by the Responses API', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        expect(pointOf(key)).toBeGreaterThanOrEqual(0);
        expect(pointOf(key)).toBeLessThan(1);
        const chosen = [1, 0, undefined].map((wanted) => chooseApi(wanted, key, body));
        expect(chosen).toEqual(['responses', 'chat', 'responses']);
      }),
    );
  });
});

it('jobs of one conversation go one way, whatever else they ask', () => {
  fc.assert(
    fc.property(share, fc.string({ minLength: 1 }), fc.array(fc.string(), { minLength: 2 }), (wanted, name, inputs) => {
      const ways = inputs.map((input, index) => {
        const asked = { input, prompt_cache_key: name };
        return chooseApi(wanted, conversationKey({ id: `resp_${index}`, body: asked, metadata: null }), asked);
      });
      return new Set(ways).size === 1;
    }),
  );
});

describe('the key of a conversation', () => {
  const id = 'resp_own';
  const all = {
    conversation: { id: 'conv_1' },
    ...{ prompt_cache_key: 'cache', user: 'user', safety_identifier: 'safe' },
  };
  it.each([
    ['what the job’s metadata name', { body: all, metadata: { conversation_id: 'meta' }, root: 'resp_root' }, 'meta'],
    ['or the request’s', { body: { ...all, metadata: { conversation_id: 'asked' } }, metadata: null }, 'asked'],
    ['the conversation', { body: all, metadata: { other: 'x' } }, 'conv_1'],
    ['named by its id', { body: { ...all, conversation: 'conv_2' }, metadata: null }, 'conv_2'],
    ['the prompt cache key', { body: { ...all, conversation: null }, metadata: null }, 'cache'],
    ['the user', { body: { user: 'user', safety_identifier: 'safe' }, metadata: null }, 'user'],
    ['the safety identifier', { body: { safety_identifier: 'safe' }, metadata: null, root: 'resp_root' }, 'safe'],
    ['the first job of the chain', { body: {}, metadata: null, root: 'resp_root' }, 'resp_root'],
    ['the job itself', { body: { prompt_cache_key: '' }, metadata: null }, 'resp_own'],
  ])('is %s', (_, job, key) => {
    expect(conversationKey({ id, ...job })).toBe(key);
  });
});

it.each([
  ['goes on from a stored response', { previous_response_id: 'resp_x' }],
  ['is of a conversation', { conversation: 'conv_x' }],
  ['searches the web', { tools: [{ type: 'web_search' }] }],
])('what %s has no counterpart, and goes by the Responses API', (_, more) => {
  expect(chooseApi(0, 'key', { ...body, ...more })).toBe('responses');
});
