/** The shares of a queue's jobs as one thin bar. It repeats the figures for the eye only. */
import type { QueueView } from '../../../src/views/overview.ts';

/** What ended first, what is to come last. */
const PARTS = ['completed', 'incomplete', 'cancelled', 'failed', 'active', 'delayed', 'waiting'] as const;
const WIDTH = 1000;
/** A few failures among a million jobs must still be seen. */
const LEAST = 6;

export function ShareBar({ queue }: { queue: QueueView }) {
  const present = PARTS.filter((name) => queue[name] > 0);
  const sum = present.reduce((total, name) => total + queue[name], 0);
  if (sum === 0) return null;
  const widths = present.map((name) => Math.max(LEAST, (queue[name] / sum) * WIDTH));
  const scale = WIDTH / widths.reduce((total, width) => total + width, 0);
  let x = 0;
  return (
    <span className="bar">
      <svg aria-hidden="true" viewBox={`0 0 ${WIDTH} 4`} preserveAspectRatio="none" focusable="false">
        {present.map((name, index) => {
          const at = x;
          const width = (widths[index] ?? 0) * scale;
          x += width;
          return <rect key={name} className={`share-${name}`} x={at} width={width} height="4" />;
        })}
      </svg>
    </span>
  );
}
