/** How much two texts have in common: the Sørensen–Dice coefficient over their bigrams of words. */

/** @returns 0 (nothing in common) … 1. Texts of less than two words are the same or they are not. */
export function similarity(one: string, other: string): number {
  if (one === other) return 1;
  const [ours, theirs] = [bigramsOf(one), bigramsOf(other)];
  const total = ours.length + theirs.length;
  if (total === 0) return 0;
  const left = new Map<string, number>();
  for (const bigram of ours) left.set(bigram, (left.get(bigram) ?? 0) + 1);
  let shared = 0;
  for (const bigram of theirs) {
    const count = left.get(bigram) ?? 0;
    if (count === 0) continue;
    left.set(bigram, count - 1);
    shared++;
  }
  return (2 * shared) / total;
}

function bigramsOf(text: string): string[] {
  const words = text.toLowerCase().match(/\S+/g) ?? [];
  return words.slice(1).map((word, index) => `${words[index]} ${word}`);
}
