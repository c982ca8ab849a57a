/** Cuts a text into the pieces a stream sends; joined, they are the text again. */

/** Words with the space before them: about what one event of a real stream holds. */
const WORD = /\s*\S+|\s+$/g;

/** About `pieces` pieces, or one a word. Characters beyond 16 bits are never cut in two. */
export function cutIntoDeltas(text: string, pieces: number | undefined): string[] {
  if (text === '') return [];
  const words = text.match(WORD) ?? [text];
  if (pieces === undefined) return words;
  const units = words.length >= pieces ? words : Array.from(text);
  const count = Math.min(pieces, units.length);
  const deltas: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const from = Math.floor((index * units.length) / count);
    const to = Math.floor(((index + 1) * units.length) / count);
    deltas.push(units.slice(from, to).join(''));
  }
  return deltas;
}
