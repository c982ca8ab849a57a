import { expect, it } from 'vitest';
import { type Html, html, type Part } from './html.ts';

it('text is escaped, in content and in quoted attributes', () => {
  const hostile = `"><script>alert('x')</script>&`;
  expect(html`<p title="${hostile}">${hostile}</p>`.toString()).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;">' +
      '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</p>',
  );
});

it('what the template made stands as it is, alone and in lists', () => {
  const items = ['a', '<b>'].map((text) => html`<li>${text}</li>`);
  expect(html`<ul>${items}</ul>`.toString()).toBe('<ul><li>a</li><li>&lt;b&gt;</li></ul>');
});

it('null and false leave nothing, zero and the empty text are shown', () => {
  expect(html`[${null}${false}${0}${''}]`.toString()).toBe('[0]');
});

it('no value out of JSON passes for markup, whatever it looks like', () => {
  const forgeries: unknown[] = [
    { markup: '<script>' },
    { '#markup': '<script>', toString: '<script>' },
    JSON.parse('{"__proto__":{"toString":"<script>"}}'),
    ['<script>', ['<img onerror=alert(1)>']],
    { html: '<script>', constructor: { name: 'SafeHtml' } },
  ];
  for (const forgery of forgeries) {
    let markup = '';
    try {
      markup = html`${forgery as Part}`.toString();
    } catch {
      // An object that cannot be made text is refused: nothing is sent then.
    }
    expect(markup).not.toMatch(/<[a-z]/i);
  }
});

it('an object with a text of its own is text, not markup', () => {
  const sly = { toString: () => '<script>' } as unknown as Html;
  expect(html`${sly}`.toString()).toBe('&lt;script&gt;');
});
