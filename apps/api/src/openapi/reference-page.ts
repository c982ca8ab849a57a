/** The document as a page: without scripts or anything from elsewhere, readable in light and dark, narrow and wide. */
import type { Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';

const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--muted:#57606a;--line:#d0d7de;--code:#f3f4f6;--link:#0a58ca}
@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--text:#e6edf3;--muted:#9da7b3;--line:#30363d;--code:#161b22;--link:#7ab7ff}}
html{background:var(--ground)}body{font:16px/1.5 system-ui,sans-serif;background:var(--ground);color:var(--text);max-width:52rem;margin:0 auto;padding:1rem}
a{color:var(--link)}h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.8rem 0 .3rem;overflow-wrap:anywhere}
code,pre{font:.9em ui-monospace,monospace;background:var(--code);border-radius:4px}code{padding:.1em .3em}
pre{padding:.7rem;overflow-x:auto}p{margin:.3rem 0}dl{margin:.5rem 0}dt{font-weight:600;margin-top:.4rem;overflow-wrap:anywhere}
dd{margin:0 0 0 1rem;color:var(--muted)}.method{font-weight:700}`;

export const REFERENCE_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

export function referencePage(passedOn: readonly string[]): string {
  const tags = [...new Set(OPERATIONS.map(({ tag }) => tag))];
  const chapters = tags.map(
    (tag) => `<section aria-labelledby="${anchor(tag)}"><h2 id="${anchor(tag)}">${text(tag)}</h2>
${OPERATIONS.filter((operation) => operation.tag === tag)
  .map(operationHtml)
  .join('\n')}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Millrace API</title><style>${STYLE}</style></head>
<body><header><h1>Millrace API</h1>
<p>OpenAI’s SDKs need no more than this base URL. As a document: <a href="/openapi.json">openapi.json</a>.</p>
<nav aria-label="Chapters"><ul>${tags.map((tag) => `<li><a href="#${anchor(tag)}">${text(tag)}</a></li>`).join('')}</ul></nav></header>
<main>${chapters.join('\n')}
${passedOn.length === 0 ? '' : `<section aria-labelledby="passed-on"><h2 id="passed-on">Passed on to the upstream</h2><p>${passedOn.map((path) => `<code>${text(path)}</code>`).join(', ')}: as they are, with the upstream’s key.</p></section>`}
</main></body></html>
`;
}

function operationHtml(operation: Operation): string {
  const { method, path, summary, description, query = {}, headers = {}, body, answer, errors = {} } = operation;
  const terms = [
    ...Object.entries(query).map(([name, { description: what }]) => [`?${name}`, what]),
    ...Object.entries(headers).map(([name, { description: what }]) => [name, what]),
    [String(answer.status), answer.description],
    ...Object.entries(errors),
  ];
  const examples = Object.values(body?.content ?? {}).flatMap(({ example }) =>
    example === undefined ? [] : [example],
  );
  return `<h3><span class="method">${method.toUpperCase()}</span> <code>${text(path)}</code></h3>
<p>${text(summary)}.${description === undefined ? '' : ` ${text(description)}`}</p>
${examples.map((example) => `<pre tabindex="0"><code>${text(JSON.stringify(example))}</code></pre>`).join('')}
<dl>${terms.map(([name = '', what = '']) => `<dt><code>${text(name)}</code></dt><dd>${text(what)}</dd>`).join('')}</dl>`;
}

function anchor(tag: string): string {
  return tag.toLowerCase().replace(/\W+/g, '-');
}

function text(value: string): string {
  return value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
