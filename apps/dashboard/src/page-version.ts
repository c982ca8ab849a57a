/** A short hash of what a page is made of: it dates the static files, and tells an open page that it is an old one. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the style sheet, the script and the icon are. */
export const PUBLIC_DIRECTORY = join(import.meta.dirname, 'public');

/** The same in every process that serves the same files for the same queues. */
export function pageVersion(queues: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(queues));
  for (const folder of [PUBLIC_DIRECTORY, join(import.meta.dirname, 'pages')]) {
    for (const file of readdirSync(folder).sort()) hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
