/** Figures as benchmarks print them: rounded, a JSON line each. */

/** The middle one; of an even number the upper of the two. @throws when there is none. */
export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

/** The number that the `share` (0 … 1) of all numbers lies below. @throws when there is none. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const found = sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
  if (found === undefined) throw new Error('no figures');
  return found;
}

/** Rounded to so many digits after the point. */
export function round(number: number, digits = 0): number {
  return Number(number.toFixed(digits));
}

/** One JSON line on stdout. */
export function print(line: object): void {
  console.log(JSON.stringify(line));
}
