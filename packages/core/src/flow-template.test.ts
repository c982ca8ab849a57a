import { expect, it } from 'vitest';
import { fillTemplates, TemplateError, templatesIn, valueAt } from './flow-template.ts';

const values = { list: ['a', 'b'], record: { n: 1 }, text: 'x' };
const read = ([root = '', ...rest]: string[]) => valueAt(values[root as 'list'], rest, root);

it('a template that is all of a string is the value itself, but where a text is wanted', () => {
  expect(fillTemplates({ tags: '{{list}}', deep: [{ record: '{{ record }}' }] }, read)).toEqual({
    tags: ['a', 'b'],
    deep: [{ record: { n: 1 } }],
  });
  expect(fillTemplates({ input: '{{list}}', document: '{{record}}' }, read)).toEqual({
    input: 'a\n\nb',
    document: '{"n":1}',
  });
});

it('in the middle of a text, texts stand as they are, lists of texts as paragraphs, all else as JSON', () => {
  expect(fillTemplates('{{text}}: {{list}}, {{record}}, {{record.n}}', read)).toBe('x: a\n\nb, {"n":1}, 1');
});

it('what is filled in is no template again', () => {
  expect(fillTemplates('{{text}}', () => '{{record}}')).toBe('{{record}}');
});

it('what is not there is named, with what lacks it', () => {
  expect(() => fillTemplates('{{record.m.k}}', read)).toThrow(new TemplateError("{{record.m.k}}: 'record' has no 'm'"));
  expect(() => fillTemplates('{{record.constructor}}', read)).toThrow(TemplateError);
});

it('templates are found with the place of their string', () => {
  expect(templatesIn({ a: [{ b: 'x {{steps.c.id}} {{no words}}' }] })).toEqual([
    { at: 'a[0].b', text: 'steps.c.id', parts: ['steps', 'c', 'id'] },
    { at: 'a[0].b', text: 'no words', parts: [] },
  ]);
});
