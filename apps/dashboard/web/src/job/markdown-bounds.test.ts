import { expect, it } from 'vitest';
import { showsAsMarkdown } from './markdown-bounds.ts';

it('what people and models write is Markdown', () => {
  for (const text of [
    '# Title\n\n- a\n  - b\n    - c\n\n> > quoted\n\n1. one\n2. two',
    `---\n\n${'-'.repeat(80)}\n\n* * *\n\n${'*'.repeat(80)}`,
    `| a | b |\n|${'-'.repeat(40)}|${'-'.repeat(40)}|`,
    `\`\`\`\n${' '.repeat(80)}return 1;\n\`\`\``,
    '[link](https://a.example/) '.repeat(1000),
    'word '.repeat(12_000),
    `| a | b | c |\n|---|:-:|--:|\n${'| x | y | z |\n'.repeat(1000)}`,
    `- a\n- b\n\n---\n${'text\n'.repeat(4000)}`,
    '**bold** and _emphasis_, [1] '.repeat(500),
  ]) {
    expect(showsAsMarkdown(text), text.slice(0, 40)).toBe(true);
  }
});

it('deciding takes no time, whatever is repeated', () => {
  const began = performance.now();
  for (const one of ['-', '|', '|-', '> ', ' ', '\t', '1.', '- ', '=', '\r', ']('])
    showsAsMarkdown(`${one.repeat(65_536)}x`);
  expect(performance.now() - began).toBeLessThan(1000);
});

it('what is nested or linked beyond reason is not, as parsing it would take seconds or the whole stack', () => {
  for (const text of [
    `${'>'.repeat(5000)} hi`,
    `fine\n${'> - '.repeat(40)}x`,
    Array.from({ length: 400 }, (_, depth) => `${'  '.repeat(depth)}- x`).join('\n'),
    '[a](<b'.repeat(9000),
    ']'.repeat(65_536),
    '*a'.repeat(30_000),
    'snake_case '.repeat(6000),
    'a\n=\n'.repeat(2000),
    '- a\n'.repeat(16_000),
    // 90 million cells of 64 kB.
    `${'|a'.repeat(5000)}|\n${'|-'.repeat(5000)}|\n${'|\n'.repeat(18_000)}`,
  ]) {
    expect(showsAsMarkdown(text), text.slice(0, 40)).toBe(false);
  }
});
