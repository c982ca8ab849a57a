/** A flow whole, as it is stored: read when somebody opens it, cut where it is long; the file has all of it. */
import { useState } from 'react';
import { useFetched } from '../api.ts';
import { formatCount } from '../format.ts';
import { Problem } from './problem.tsx';

const SHOWN_CHARACTERS = 64 * 1024;

export function Definition({ id }: { id: string }) {
  const [open, setOpen] = useState(false);
  const { data, error, again } = useFetched<unknown>(open ? `/api/flows/${id}/json` : null);
  const text = data === null ? '' : JSON.stringify(data, null, 2);
  const omitted = Math.max(0, text.length - SHOWN_CHARACTERS);
  return (
    <section aria-labelledby="definition">
      <h2 id="definition">Definition, input and states</h2>
      <p>
        <a href={`/api/flows/${id}/json`} download>
          Download as JSON
        </a>
      </p>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Show it here</summary>
        {error !== null && <Problem error={error} again={again} />}
        {data !== null && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
          <pre tabIndex={0}>{text.slice(0, SHOWN_CHARACTERS).toWellFormed()}</pre>
        )}
        {omitted > 0 && <p className="cut">{formatCount(omitted)} more characters are in the file.</p>}
      </details>
    </section>
  );
}
