/** How much of a whole is done, and how: completed, failed, and the rest. The words are beside it, not in it. */
export interface ProgressBarProps {
  total: number;
  completed: number;
  failed: number;
  /** Ended, one way or the other, where that is all that is known. */
  ended?: number;
}

const WIDTH = 1000;

export function ProgressBar({ total, completed, failed, ended = 0 }: ProgressBarProps) {
  const width = (count: number): number => (total === 0 ? 0 : Math.round((Math.min(count, total) / total) * WIDTH));
  const parts = [
    { share: 'completed', from: 0, count: completed },
    { share: 'failed', from: completed, count: failed },
    { share: 'active', from: completed + failed, count: Math.max(0, ended - completed - failed) },
  ];
  return (
    <span className="bar progress" aria-hidden="true">
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the words are beside it */}
      <svg viewBox={`0 0 ${WIDTH} 4`} preserveAspectRatio="none" focusable="false">
        {parts.map(({ share, from, count }) => (
          <rect key={share} className={`share-${share}`} x={width(from)} width={width(count)} height="4" />
        ))}
      </svg>
    </span>
  );
}
