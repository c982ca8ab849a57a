import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidRequestError } from './errors.ts';
import { MAX_JSON_DEPTH, parseGuardedJson } from './guarded-json.ts';

/** A body limit's worth of hostile text. */
const FIVE_MEGABYTES = 5_000_000;

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const refused = (message: string) => expect.objectContaining({ code: 'invalid_json', param: null, message });

describe('parseGuardedJson', () => {
  test('reads whatever JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes('__proto__'));
        expect(parseGuardedJson(text)).toStrictEqual(JSON.parse(text));
      }),
    );
  });

  test('refuses what JSON.parse refuses, whatever the text', () => {
    const token = fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '\\', '\\"', '"a"', '1', 'null', ' ', '\n');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        const text = tokens.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          // Not JSON: the guard must say so in its own words.
          expect(() => parseGuardedJson(text)).toThrow(InvalidRequestError);
          return;
        }
        expect(parseGuardedJson(text)).toStrictEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('says where malformed JSON breaks', () => {
    expect(() => parseGuardedJson('{"a": 1 "b": 2}')).toThrow(
      refused(
        "We could not parse the JSON body of your request: Expected ',' or '}' after property value in JSON at position 8 (line 1 column 9).",
      ),
    );
    expect(() => parseGuardedJson('')).toThrow(
      refused('We could not parse the JSON body of your request: Unexpected end of JSON input.'),
    );
  });

  test('takes the deepest allowed nesting and refuses one level more, with the way to it', () => {
    expect(parseGuardedJson(nested(MAX_JSON_DEPTH))).toBeInstanceOf(Array);
    expect(() => parseGuardedJson(nested(MAX_JSON_DEPTH + 1))).toThrow(/nested deeper than 64 levels at position 64/);
    expect(() => parseGuardedJson(`{"model": "m[{", "input": [{}, {"content": ${nested(64)}}]}`)).toThrow(
      /below 'input\[1\]\.content\[0\]\[0\]/,
    );
  });

  test('does not count brackets inside strings', () => {
    const text = JSON.stringify({ input: `${'[{'.repeat(100)} \\" ${'"'.repeat(3)} \\` });
    expect(parseGuardedJson(text)).toStrictEqual(JSON.parse(text));
  });

  test.each([
    ['arrays never closed', '['.repeat(FIVE_MEGABYTES)],
    ['arrays closed', nested(FIVE_MEGABYTES / 2)],
    ['objects', '{"a":'.repeat(FIVE_MEGABYTES / 5)],
    ['arrays within objects', '{"a":[1,'.repeat(FIVE_MEGABYTES / 8)],
  ])('survives five megabytes of nested %s', (_, text) => {
    expect(() => parseGuardedJson(text)).toThrow(/nested deeper than 64 levels/);
  });

  test('a refusal of deep nesting stays short though keys are long', () => {
    const text = `{"${'k'.repeat(100_000)}":`.repeat(65);
    expect(() => parseGuardedJson(text)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,300}$/) }),
    );
  });

  test.each([
    ['at the top', '{"__proto__": {}}'],
    ['at depth', '{"input": [{"content": [1, {"__proto__": null}]}]}'],
    ['escaped', '{"a": {"\\u005f_proto\\u005F_": 1}}'],
    ['wholly escaped', '{"\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f": 1}'],
    ['twice', '[{"a": 1}, {"__proto__": 1, "__proto__": 2}]'],
  ])('refuses a __proto__ key %s', (_, text) => {
    expect(() => parseGuardedJson(text)).toThrow(/the key '__proto__' is not allowed/);
  });

  test('lets __proto__ stand as text, and escapes that spell something else', () => {
    for (const text of ['{"input": "__proto__"}', '["\\u0041__proto__"]', '{"\\u0061": "\\u001b"}']) {
      expect(parseGuardedJson(text)).toStrictEqual(JSON.parse(text));
    }
  });
});
