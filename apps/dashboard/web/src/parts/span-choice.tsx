/** Which failures are looked at: the span, and the queue. Kept in the address, so that it can be passed on. */
import { useSearchParams } from 'wouter';
import type { OverviewView } from '../../../src/views/overview.ts';
import { useTopic } from '../live.ts';

const SPANS = { '1': '1 h', '24': '24 h', '168': '7 d' } as const;

export interface SpanChosen {
  hours: string;
  /** '': all. */
  queue: string;
}

/** What the address says. */
export function useSpan(): [SpanChosen, (next: Partial<SpanChosen>) => void] {
  const [search, setSearch] = useSearchParams();
  const asked = search.get('hours') ?? '24';
  const chosen = { hours: Object.hasOwn(SPANS, asked) ? asked : '24', queue: search.get('queue') ?? '' };
  return [chosen, (next) => setSearch(asSearch({ ...chosen, ...next }))];
}

/**
 * The topic of such failures. null: the queue is none there is, or that is not known yet; a topic must not be asked for
 * that there is not.
 */
export function useSpanTopic(kind: 'failures' | 'cohort', { hours, queue }: SpanChosen): string | null {
  const queues = useTopic<OverviewView>('overview')?.queues;
  const known = queue === '' || queues?.some(({ name }) => name === queue) === true;
  return known ? `${kind}:${hours}:${queue}` : null;
}

export function asSearch({ hours, queue }: SpanChosen): URLSearchParams {
  return new URLSearchParams({ hours, ...(queue === '' ? {} : { queue }) });
}

export function SpanChoice({ queues }: { queues: readonly string[] }) {
  const [{ hours, queue }, choose] = useSpan();
  const overview = useTopic<OverviewView>('overview');
  const gone = overview?.known === true && queue !== '' && !overview.queues.some(({ name }) => name === queue);
  const names = [...new Set([...(overview?.queues ?? []).map(({ name }) => name), ...queues, queue])];
  return (
    <div className="choices">
      <fieldset className="spans">
        <legend className="visually-hidden">Span</legend>
        {Object.entries(SPANS).map(([value, text]) => (
          <button key={value} type="button" aria-pressed={value === hours} onClick={() => choose({ hours: value })}>
            {text}
          </button>
        ))}
      </fieldset>
      <label>
        Queue{' '}
        <select value={queue} onChange={(event) => choose({ queue: event.target.value })}>
          <option value="">all</option>
          {names
            .filter((name) => name !== '')
            .sort()
            .map((name) => (
              <option key={name}>{name}</option>
            ))}
        </select>
      </label>
      {gone && (
        <p className="notice warn" role="alert">
          There is no queue <bdi>{queue}</bdi> (any more): choose another.
        </p>
      )}
    </div>
  );
}
