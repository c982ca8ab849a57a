/** What a client noted on a job or a flow: its own keys and values, as text. */
import { type Html, html } from '../html.ts';

export function metadataSection(metadata: Record<string, string>): Html {
  const rows = Object.entries(metadata).map(
    ([key, value]) => html`<div><dt><bdi>${key}</bdi></dt><dd><bdi>${String(value)}</bdi></dd></div>`,
  );
  return html`<section aria-labelledby="metadata"><h2 id="metadata">Metadata</h2><dl class="facts">${rows}</dl></section>`;
}
