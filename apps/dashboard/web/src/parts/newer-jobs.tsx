/** Offers what came or ended since a list was loaded. By itself nothing moves under the reader's finger. */
import { useEffect, useRef, useState } from 'react';
import type { OverviewView } from '../../../src/views/overview.ts';
import { formatCount, formatTime } from '../format.ts';
import { useTopic } from '../live.ts';

const COUNTS = ['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled', 'incomplete'] as const;

/**
 * @param queue the one that the list is of; null: of all
 * @param loaded when the list was, ms; another one is compared with anew
 */
export function NewerJobs({ queue, loaded, again }: { queue: string | null; loaded: number; again: () => void }) {
  const line = useRef<HTMLParagraphElement>(null);
  const queues = useTopic<OverviewView>('overview')?.queues;
  const now = queues
    ?.filter(({ name }) => queue === null || name === queue)
    .map((one) => COUNTS.map((count) => one[count]));
  const [seen, setSeen] = useState<{ loaded: number; counts: number[][] } | null>(null);
  useEffect(() => {
    if (now !== undefined) setSeen((last) => (last?.loaded === loaded ? last : { loaded, counts: now }));
  }, [now, loaded]);
  const before = seen?.loaded === loaded ? seen.counts : undefined;
  const changed = before !== undefined && JSON.stringify(now) !== JSON.stringify(before);
  const more = sumOf(now) - sumOf(before);
  return (
    <p className="newer" ref={line} tabIndex={-1}>
      {/* Read out once, however the number grows. */}
      <span className="visually-hidden" role="status">
        {changed && 'There are newer jobs.'}
      </span>
      {!changed && <small>As of {formatTime(loaded)}</small>}
      {changed && (
        <button
          type="button"
          onClick={() => {
            // The button goes: whoever pressed it by keyboard goes on to the list.
            line.current?.focus();
            again();
          }}
        >
          {more > 0
            ? `${formatCount(more)} new ${more === 1 ? 'job' : 'jobs'}: load again`
            : 'Jobs have changed: load again'}
        </button>
      )}
    </p>
  );
}

const sumOf = (counts: number[][] = []): number => counts.flat().reduce((sum, count) => sum + count, 0);
