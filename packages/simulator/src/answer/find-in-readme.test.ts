import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readDocument } from './document.ts';
import { fillSchema } from './fill.ts';

const nullable = { type: ['string', 'null'] };
const PACKAGE_README = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    purpose: { type: 'string' },
    license: nullable,
    install_command: nullable,
    links: { type: 'array', items: { type: 'string', format: 'uri' } },
  },
  required: ['name', 'purpose', 'license', 'install_command', 'links'],
  additionalProperties: false,
};

interface Extracted {
  name: string;
  purpose: string;
  license: string | null;
  install_command: string | null;
  links: string[];
}

async function extract(packageName: string): Promise<Extracted> {
  const readme = new URL(`../../node_modules/${packageName}/README.md`, import.meta.url);
  return fillSchema(PACKAGE_README, readDocument(await readFile(readme, 'utf8'))) as Extracted;
}

const READMES: [packageName: string, expected: Partial<Extracted>, purpose: RegExp][] = [
  ['ajv', { name: 'ajv', license: 'MIT', install_command: 'npm install ajv' }, /JSON validator/],
  ['fast-check', { name: 'fast-check' }, /^Property based testing framework/],
  ['openai', { name: 'openai', install_command: 'npm install openai' }, /OpenAI REST API/],
  ['zod', { name: 'Zod', license: 'MIT', install_command: 'npm install zod' }, /schema validation/],
];

test.each(READMES)(
  'the README of %s gives its name, purpose, license, install command and links',
  async (name, expected, purpose) => {
    const found = await extract(name);
    expect(found).toMatchObject(expected);
    expect(found.purpose).toMatch(purpose);
    expect(found.purpose.length).toBeLessThanOrEqual(300);
    expect(found.purpose).not.toMatch(/<\w|\]\(|!\[/);
    expect(found.links.length).toBeGreaterThan(0);
    expect(found.links).toEqual([...new Set(found.links)]);
    expect(found.links.every((link) => URL.canParse(link))).toBe(true);
  },
);

const LICENSES: [text: string, id: string | null][] = [
  ['## License\n\n[MIT](LICENSE) © Ada', 'MIT'],
  ['Licensed under the Apache License, Version 2.0', 'Apache-2.0'],
  ['License\n-------\n\nBSD 3-Clause', 'BSD-3-Clause'],
  ['![license](https://img.shields.io/badge/license-ISC-blue.svg)', 'ISC'],
  ['# License\n\nPermission is hereby granted, free of charge, to any person', 'MIT'],
  ['This text admits nothing.', null],
];

test.each(LICENSES)('license of %j', (text, id) => {
  const schema = { type: 'object', properties: { license: nullable }, required: ['license'] };
  expect(fillSchema(schema, readDocument(text))).toEqual({ license: id });
});

const NAMES: [text: string, name: string | null][] = [
  ['# semver(1) -- The semantic versioner', 'semver'],
  ['<h1 align="center">\n  <img alt="pure-rand logo" src="x" />\n</h1>', 'pure-rand'],
  ['# Installation\n> `npm install --save @types/qs`\n\n# Summary', '@types/qs'],
  ['# The quickest way to walk a tree\n\n```\nnpm i fdir\n```', 'fdir'],
  ["## Usage\n\nvar x = require('node:util'); require('inherits')", 'inherits'],
  ['Name: Ada Lovelace\nBorn: 10 December 1815', 'Ada Lovelace'],
];

test.each(NAMES)('name in %j', (text, name) => {
  const schema = { type: 'object', properties: { name: nullable }, required: ['name'] };
  expect(fillSchema(schema, readDocument(text))).toEqual({ name });
});

test('hostile text is read in time that grows with its length', () => {
  const hostile = ['[', '<a ', '<!--', '![a', '<document>', 'a@', 'licensed under ', '| '].map((piece) =>
    piece.repeat(40_000),
  );
  for (const text of hostile) expect(fillSchema(PACKAGE_README, readDocument(text))).toBeDefined();
});
