/** What a job was answered: as written, as Markdown, or as a tree where it is JSON; with where it misses its schema. */
import { lazy, Suspense, useState } from 'react';
import type { JobPageView, OutputView } from '../../../src/views/job.ts';
import { formatCount } from '../format.ts';
import { Item } from './chat-log.tsx';
import { LongText, Omitted, WholeAsFile } from './long-text.tsx';
import { showsAsMarkdown } from './markdown-bounds.ts';
import { Misses } from './misses.tsx';

const Markdown = lazy(() => import('./markdown.tsx'));
const JsonTree = lazy(() => import('./json-tree.tsx'));

export function Output({ job }: { job: JobPageView }) {
  const { output } = job;
  if (output === null) {
    const running = job.status === 'queued' || job.status === 'in_progress';
    return <p className="empty">{running ? 'None yet.' : 'There is none.'}</p>;
  }
  return (
    <>
      {output.incomplete !== null && (
        <p className="notice warn">
          It was cut short: <code>{output.incomplete}</code>.
        </p>
      )}
      {output.unchecked !== null && <p className="notice warn">Not checked against its schema: {output.unchecked}.</p>}
      <Misses misses={output.misses} />
      <OutputText id={job.id} output={output} fits={job.schema !== null && output.unchecked === null} />
      {output.items.map((item, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the items of an answer stay where they are
        <div key={place} className={`message role-${item.kind}`}>
          <Item id={job.id} item={item} part="response" />
        </div>
      ))}
      {output.items_omitted > 0 && (
        <p className="cut">
          {formatCount(output.items_omitted)} more parts are left out. <WholeAsFile id={job.id} part="response" />
        </p>
      )}
    </>
  );
}

function OutputText({ id, output, fits }: { id: string; output: OutputView; fits: boolean }) {
  const [plain, setPlain] = useState(false);
  const { text, value, misses } = output;
  if (text.text === '') return <p className="empty">No text.</p>;
  if (value === null && !showsAsMarkdown(text.text)) return <LongText id={id} part="output" text={text} />;
  const name = value === null ? 'Markdown' : 'Tree';
  return (
    <div className="output">
      <fieldset className="choice">
        <legend className="visually-hidden">How the output is shown</legend>
        {[name, 'Plain text'].map((label) => (
          <label key={label}>
            <input
              type="radio"
              name="output-as"
              checked={plain === (label !== name)}
              onChange={() => setPlain(label !== name)}
            />{' '}
            {label}
          </label>
        ))}
        {fits && misses.length === 0 && <span className="badge good">fits its schema</span>}
        {misses.length > 0 && <span className="badge bad">misses its schema</span>}
      </fieldset>
      {plain ? (
        <LongText id={id} part="output" text={text} />
      ) : (
        <Suspense fallback={<p className="empty">Loading…</p>}>
          {value === null ? (
            <>
              <Markdown text={text.text} />
              <Omitted id={id} part="output" omitted={text.omitted} />
            </>
          ) : (
            <JsonTree value={value.json} misses={misses} />
          )}
        </Suspense>
      )}
    </div>
  );
}
