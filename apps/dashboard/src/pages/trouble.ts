/** What is said above what may be old. */
import type { Trouble } from '../flow-reader.ts';
import { type Html, html } from '../html.ts';

export function troubleNotice(trouble: Trouble): Html {
  switch (trouble) {
    case null:
      return html``;
    case 'gone':
      return html`<p class="notice warn" role="alert">The flow is not kept any more: this is how it was last seen.</p>`;
    case 'unreachable':
      return html`<p class="notice bad" role="alert"><strong>Redis cannot be reached.</strong> Trying again every second. This is what was read last.</p>`;
  }
}
