/** A text that somebody wrote, in its own direction; its beginning where it is long, and the whole behind a link. */
import type { CutText } from '../../../src/views/job.ts';
import { formatCount } from '../format.ts';

export function rawPath(id: string, part: string): string {
  return `/api/jobs/${encodeURIComponent(id)}/raw?part=${part}`;
}

export function LongText({ id, part, text }: { id: string; part: string; text: CutText }) {
  return (
    <div className="text">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre dir="auto" tabIndex={0}>
        {text.text}
      </pre>
      <Omitted id={id} part={part} omitted={text.omitted} />
    </div>
  );
}

export function Omitted({ id, part, omitted }: { id: string; part: string; omitted: number }) {
  if (omitted === 0) return null;
  return (
    <p className="cut">
      {formatCount(omitted)} characters more. <WholeAsFile id={id} part={part} />
    </p>
  );
}

export function WholeAsFile({ id, part }: { id: string; part: string }) {
  return (
    <a href={rawPath(id, part)} download>
      The whole as a file
    </a>
  );
}
