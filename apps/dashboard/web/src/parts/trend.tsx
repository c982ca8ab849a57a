/** How a count went over a span, as small bars; in words for who does not see them. */
export function Trend({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  return (
    <svg className="trend" viewBox={`0 0 ${counts.length * 5} 24`} role="img" aria-label={wordsOf(counts)}>
      {counts.map((count, index) => {
        const height = count === 0 ? 1 : Math.max(2, (count / most) * 24);
        // biome-ignore lint/suspicious/noArrayIndexKey: a part of the span is what it is by its place
        return <rect key={index} x={index * 5} y={24 - height} width="4" height={height} />;
      })}
    </svg>
  );
}

function wordsOf(counts: readonly number[]): string {
  const half = Math.floor(counts.length / 2);
  const sum = (part: readonly number[]): number => part.reduce((total, count) => total + count, 0);
  return `${sum(counts.slice(0, half))} in the first half of the span, ${sum(counts.slice(half))} in the second`;
}
