/** Offers what came or ended since a list was loaded. By itself nothing moves under the reader's finger. */
import { useEffect, useState } from 'react';
import type { OverviewView } from '../../../src/views/overview.ts';
import { formatCount } from '../format.ts';
import { useTopic } from '../live.ts';

const COUNTS = ['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled', 'incomplete'] as const;

/** @param queue the one that the list is of; null: of all. To be given a new key with every loading. */
export function NewerJobs({ queue, again }: { queue: string | null; again: () => void }) {
  const queues = useTopic<OverviewView>('overview')?.queues;
  const now = queues
    ?.filter(({ name }) => queue === null || name === queue)
    .map((one) => COUNTS.map((count) => one[count]));
  const [before, setBefore] = useState<number[][] | undefined>();
  useEffect(() => setBefore((first) => first ?? now), [now]);
  const changed = before !== undefined && JSON.stringify(now) !== JSON.stringify(before);
  const more = sumOf(now) - sumOf(before);
  return (
    <p className="newer" role="status">
      {changed && (
        <button type="button" onClick={again}>
          {more > 0
            ? `${formatCount(more)} new ${more === 1 ? 'job' : 'jobs'}: load again`
            : 'Jobs have changed: load again'}
        </button>
      )}
    </p>
  );
}

const sumOf = (counts: number[][] = []): number => counts.flat().reduce((sum, count) => sum + count, 0);
