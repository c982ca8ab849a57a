/**
 * A JSON value that a schema takes, filled out of a document's own words where a property can be found in it.
 * What is not found is null where the schema allows it, else the smallest value that fits.
 */
import { isObject, type JsonObject, own } from '../json.ts';
import type { Document } from './document.ts';
import { type Field, findAmount, findChoice, findFlag, findTexts, mentions } from './find.ts';
import { branchesOf, createDepthGauge, requiredOf, resolveSchema, type TypeName, typesOf } from './schema-shape.ts';
import { fitText, isStringSchema, stringValue } from './string-value.ts';

interface Filled {
  value: unknown;
  /** The document gave it, or some part of it. */
  found: boolean;
}

/** Deeper than this, only what must be there is filled: recursive schemas then take their shortest way to an end. */
const GENEROUS_DEPTH = 6;
/** A schema that cannot end within this many levels has no finite value; null stands in for it. */
const MAX_DEPTH = 40;
/** Values tried before the rest is filled the shortest way: branches of recursive schemas multiply. */
const GENEROUS_VALUES = 2000;
/** Values in all: lists of lists that ask for more are left short. */
const MAX_VALUES = 100_000;
/** Alternatives within alternatives of one value: more of them are a circle. */
const MAX_ALTERNATIVES = 32;
const MAX_ITEMS = 10_000;
const NO_FIELD: Field = { name: '', description: '' };

/** Fills `schema` from `document`. */
export function fillSchema(schema: JsonObject, document: Document): unknown {
  const depthOf = createDepthGauge(schema);
  let values = 0;

  function fill(node: unknown, field: Field, depth: number, alternatives = 0): Filled {
    values += 1;
    if (values > MAX_VALUES || alternatives > MAX_ALTERNATIVES) return { value: null, found: false };
    const resolved = resolveSchema(schema, node);
    const described =
      typeof resolved.description === 'string' ? { ...field, description: resolved.description } : field;
    if (Object.hasOwn(resolved, 'const')) return { value: resolved.const, found: false };
    if (Array.isArray(resolved.enum)) return fillEnum(resolved.enum, described);
    const options = branchesOf(resolved)?.map((branch) => {
      const { anyOf: _any, oneOf: _one, ...beside } = resolved;
      return isObject(branch) ? { ...beside, ...branch } : beside;
    });
    if (options) return fillFirst(options, described, depth, alternatives);
    const types = typesOf(resolved);
    if (types.length === 1 && types[0]) return fillType(types[0], resolved, described, depth);
    return fillFirst(
      types.map((type) => ({ ...resolved, type })),
      described,
      depth,
      alternatives,
    );
  }

  /** The first branch the document fills; else null; else the one with the smallest value. */
  function fillFirst(options: JsonObject[], field: Field, depth: number, alternatives: number): Filled {
    const isNull = (option: JsonObject) => resolveSchema(schema, option).type === 'null';
    const nullable = options.some(isNull);
    const real = options.filter((option) => !isNull(option));
    const hurry = depth >= GENEROUS_DEPTH || values > GENEROUS_VALUES;
    if (!hurry) {
      for (const option of real) {
        if (depthOf(option, MAX_DEPTH) >= MAX_DEPTH) continue;
        const filled = fill(option, field, depth, alternatives + 1);
        if (filled.found) return filled;
      }
    }
    if (nullable) return { value: null, found: false };
    const byDepth = real.map((option) => ({ option, needs: depthOf(option, MAX_DEPTH) }));
    byDepth.sort((a, b) => a.needs - b.needs);
    const smallest = byDepth[0];
    // A union that holds only itself would be asked for ever.
    if (!smallest || smallest.needs >= MAX_DEPTH) return { value: null, found: false };
    return fill(smallest.option, field, depth, alternatives + 1);
  }

  function fillEnum(choices: readonly unknown[], field: Field): Filled {
    const choice = findChoice(document, field, choices);
    if (choice !== undefined) return { value: choice, found: true };
    return { value: choices.includes(null) ? null : (choices[0] ?? null), found: false };
  }

  function fillType(type: TypeName, node: JsonObject, field: Field, depth: number): Filled {
    if (depth > MAX_DEPTH) return { value: null, found: false };
    switch (type) {
      case 'object':
        return fillObject(node, depth);
      case 'array':
        return fillArray(node, field, depth);
      case 'string':
        return stringValue(node, field, document);
      case 'number':
      case 'integer':
        return fillNumber(node, type === 'integer', field);
      case 'boolean': {
        const flag = findFlag(document, field);
        return { value: flag ?? false, found: flag !== undefined };
      }
      case 'null':
        return { value: null, found: false };
    }
  }

  function fillObject(node: JsonObject, depth: number): Filled {
    const properties = isObject(node.properties) ? node.properties : {};
    const required = new Set(requiredOf(node));
    const hurry = depth >= GENEROUS_DEPTH || values > GENEROUS_VALUES;
    const value: JsonObject = {};
    let found = false;
    const names = new Set([...Object.keys(properties), ...required]);
    for (const name of names) {
      const must = required.has(name);
      if (!must && hurry) continue;
      const inner = own(properties, name) ?? node.additionalProperties;
      const filled = fill(inner, { ...NO_FIELD, name }, depth + 1);
      if (!must && !filled.found) continue;
      // Assignment would set the prototype where a schema names a property `__proto__`.
      Object.defineProperty(value, name, { value: filled.value, enumerable: true, configurable: true, writable: true });
      found ||= filled.found;
    }
    return { value, found };
  }

  function foundItems(items: JsonObject, field: Field): unknown[] {
    if (Array.isArray(items.enum)) {
      const texts = items.enum.filter((choice) => typeof choice === 'string' && choice.length > 0);
      return texts.filter((choice) => mentions(document.text, choice));
    }
    if (!isStringSchema(items)) return [];
    const texts = findTexts(document, field, typeof items.format === 'string' ? items.format : undefined);
    return texts.map((text) => fitText(text, items)).filter((text) => text !== undefined);
  }

  function fillArray(node: JsonObject, field: Field, depth: number): Filled {
    const min = typeof node.minItems === 'number' ? Math.min(node.minItems, MAX_ITEMS) : 0;
    const max = typeof node.maxItems === 'number' ? node.maxItems : MAX_ITEMS;
    const items = resolveSchema(schema, node.items);
    const value = foundItems(items, field).slice(0, max);
    const found = value.length > 0;
    while (value.length < min && values <= MAX_VALUES) value.push(fill(node.items, field, depth + 1).value);
    return { value, found };
  }

  function fillNumber(node: JsonObject, whole: boolean, field: Field): Filled {
    const amount = findAmount(document, field);
    const fitted = amount === undefined ? undefined : fitNumber(whole ? Math.round(amount) : amount, node, whole);
    if (fitted !== undefined && fitted === (whole ? Math.round(amount ?? 0) : amount))
      return { value: fitted, found: true };
    return { value: fitNumber(0, node, whole), found: false };
  }

  return fill(schema, NO_FIELD, 0).value;
}

/** The number nearest `wanted` that the schema's bounds allow. */
function fitNumber(wanted: number, node: JsonObject, whole: boolean): number {
  const multiple = typeof node.multipleOf === 'number' && node.multipleOf > 0 ? node.multipleOf : undefined;
  const step = multiple ?? 1;
  const bound = (keyword: string, direction: 1 | -1, wide: number): number => {
    const inclusive = own(node, keyword);
    const exclusive = own(node, `exclusive${keyword[0]?.toUpperCase()}${keyword.slice(1)}`);
    const near = typeof inclusive === 'number' ? inclusive : wide;
    if (typeof exclusive !== 'number') return near;
    const past = justPast(exclusive, direction, whole || multiple !== undefined ? step : undefined);
    return direction > 0 ? Math.max(near, past) : Math.min(near, past);
  };
  const low = bound('minimum', 1, Number.NEGATIVE_INFINITY);
  const high = bound('maximum', -1, Number.POSITIVE_INFINITY);
  const clamped = Math.min(Math.max(wanted, low), high);
  if (!whole && multiple === undefined) return clamped;
  const up = Math.ceil(clamped / step) * step;
  const rounded = up <= high ? up : Math.floor(clamped / step) * step;
  return rounded === 0 ? 0 : rounded;
}

/** The nearest number beyond an exclusive bound: a whole step where steps count, else a sliver. */
function justPast(bound: number, direction: 1 | -1, step: number | undefined): number {
  if (step === undefined) return bound + direction * Math.max(Math.abs(bound) * 1e-9, 1e-9);
  const onStep = direction > 0 ? Math.floor(bound / step) * step : Math.ceil(bound / step) * step;
  return onStep + direction * step;
}
