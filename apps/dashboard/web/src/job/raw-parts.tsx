/** The request and the response as they are stored: fetched when one looks, the beginning shown, the whole as a file. */
import { useState } from 'react';
import type { CutText, JobPageView } from '../../../src/views/job.ts';
import { useFetched } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { LongText, rawPath } from './long-text.tsx';

export function RawParts({ job }: { job: JobPageView }) {
  return (
    <>
      <RawPart id={job.id} part="request" name="Request" />
      {job.output !== null && <RawPart id={job.id} part="response" name="Response" />}
    </>
  );
}

function RawPart({ id, part, name }: { id: string; part: string; name: string }) {
  const [open, setOpen] = useState(false);
  const { data, error, again } = useFetched<CutText>(open ? `${rawPath(id, part)}&cut=1` : null);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{name}</summary>
      {error !== null && <Problem error={error} again={again} />}
      {data !== null && <LongText id={id} part={part} text={data} />}
      <p>
        <a href={rawPath(id, part)} download>
          {name} as a file
        </a>
      </p>
    </details>
  );
}
