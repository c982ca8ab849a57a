/** What jobs are looked for by: a form whose fields are those of the address. */
import { type FormEvent, useId, useState } from 'react';

const STATUSES = ['queued', 'in_progress', 'completed', 'failed', 'cancelled', 'incomplete'] as const;
/** Fields besides those always shown. */
const MORE = [
  { name: 'model', label: 'Model' },
  { name: 'code', label: 'Error code' },
  { name: 'batch', label: 'Batch' },
  { name: 'flow', label: 'Flow' },
  { name: 'key', label: 'API key (its name)' },
] as const;
const TIMES = [
  { name: 'from', label: 'Submitted from (UTC)' },
  { name: 'until', label: 'until before (UTC)' },
] as const;
const METADATA = 'meta.';
const SHOWN = new Set(['text', 'queue', 'status', 'after', 'limit']);

interface Terms {
  search: URLSearchParams;
  queues: readonly string[];
  look(filters: URLSearchParams): void;
  clear(): void;
}

export function JobFilters({ search, queues, look, clear }: Terms) {
  const given = [...search].filter(([name]) => name.startsWith(METADATA));
  const [pairs, setPairs] = useState(() =>
    given.map(([name, value]) => ({ name: name.slice(METADATA.length), value })),
  );
  const id = useId();
  const queue = search.get('queue') ?? '';
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const filters = new URLSearchParams();
    const names: string[] = [];
    for (const [name, value] of new FormData(event.currentTarget)) {
      const text = String(value).trim();
      if (name === 'meta-name') names.push(text);
      else if (name === 'meta-value') {
        const key = names.shift() ?? '';
        if (key !== '' && text !== '') filters.set(`${METADATA}${key}`, text);
      } else if (text !== '') filters.set(name, text);
    }
    look(filters);
  };
  // A queue of the address may not be there any more, and those there are come with the first answer.
  const choices = queue === '' || queues.includes(queue) ? queues : [...queues, queue];
  return (
    <search aria-label="Jobs">
      <form className="filters" onSubmit={submit}>
        <div className="field wide">
          <label htmlFor={`${id}text`}>Words of prompt or output</label>
          <input
            id={`${id}text`}
            name="text"
            type="search"
            maxLength={1000}
            defaultValue={search.get('text') ?? ''}
            aria-describedby={`${id}how`}
          />
          <small id={`${id}how`}>All must occur. “…” finds a phrase, a star at the end a beginning.</small>
        </div>
        <div className="field">
          <label htmlFor={`${id}queue`}>Queue</label>
          <select id={`${id}queue`} name="queue" key={choices.join()} defaultValue={queue}>
            <option value="">all</option>
            {choices.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}status`}>Status</label>
          <select id={`${id}status`} name="status" defaultValue={search.get('status') ?? ''}>
            <option value="">all</option>
            {STATUSES.map((status) => (
              <option key={status} value={status}>
                {status.replace('_', ' ')}
              </option>
            ))}
          </select>
        </div>
        <details className="more" open={[...search.keys()].some((name) => !SHOWN.has(name))}>
          <summary>More filters</summary>
          <div className="filters">
            {MORE.map(({ name, label }) => (
              <div className="field" key={name}>
                <label htmlFor={`${id}${name}`}>{label}</label>
                <input id={`${id}${name}`} name={name} maxLength={500} defaultValue={search.get(name) ?? ''} />
              </div>
            ))}
            {TIMES.map(({ name, label }) => (
              <div className="field" key={name}>
                <label htmlFor={`${id}${name}`}>{label}</label>
                <input id={`${id}${name}`} name={name} type="datetime-local" defaultValue={timeOf(search.get(name))} />
              </div>
            ))}
            {[...pairs, { name: '', value: '' }].map((pair, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: pairs are only ever added at the end
              <fieldset className="field pair" key={place}>
                <legend>Metadata</legend>
                <input
                  name="meta-name"
                  aria-label={`Metadata key ${place + 1}`}
                  placeholder="key"
                  defaultValue={pair.name}
                />
                <input
                  name="meta-value"
                  aria-label={`Metadata value ${place + 1}`}
                  placeholder="value"
                  defaultValue={pair.value}
                />
              </fieldset>
            ))}
            <button type="button" className="plain" onClick={() => setPairs([...pairs, { name: '', value: '' }])}>
              One more metadata pair
            </button>
          </div>
        </details>
        <div className="buttons">
          <button type="submit" className="primary">
            Find jobs
          </button>
          {search.size > 0 && (
            <button type="button" onClick={clear}>
              Clear
            </button>
          )}
        </div>
      </form>
    </search>
  );
}

/** A time of the address, as a field for one wants it: to the minute, UTC. */
function timeOf(value: string | null): string {
  if (value === null) return '';
  const zoned = /^\d{4}-\d{2}-\d{2}T[\d:.]+$/.test(value) ? `${value}Z` : value;
  const date = new Date(/^\d+$/.test(value) ? Number(value) : zoned);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 16);
}
