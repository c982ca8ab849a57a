/** What is wrong with the whole, on every page: Redis, limits, circuit breakers. Each with its reason. */
import type { OverviewView } from '../../src/views/overview.ts';
import { useTopic } from './live.ts';

export function Banners() {
  const overview = useTopic<OverviewView>('overview');
  if (overview === null) return null;
  const { redis } = overview;
  if (redis.unfit !== null) return <Banner tone="bad">{redis.unfit}</Banner>;
  if (!redis.reachable) return <Banner tone="bad">Redis does not answer: what is shown is from before.</Banner>;
  return null;
}

function Banner({ tone, children }: { tone: 'bad' | 'warn'; children: string }) {
  return (
    <p className={`notice ${tone}`} role="alert">
      {children}
    </p>
  );
}
