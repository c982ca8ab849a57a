/** A trouble is told when it begins, and now and then while it lasts; not at each of a thousand tries. */

const AGAIN_MS = 60_000;
/** Kinds of trouble that are remembered; with more of them at once all are told again. */
const KINDS = 50;

/** Wraps `say`, which is then called for an error of a kind that was not told within the last minute. */
export function nowAndThen(say: (error: Error) => void): (error: Error) => void {
  const told = new Map<string, number>();
  return (error) => {
    const { code } = error as { code?: unknown };
    // Ids and hashes make every message another one.
    const kind = `${error.name} ${typeof code === 'string' ? code : error.message.replace(/[0-9a-f]{8,}/g, '')}`;
    const last = told.get(kind);
    if (last !== undefined && performance.now() - last < AGAIN_MS) return;
    if (told.size >= KINDS) told.clear();
    told.set(kind, performance.now());
    say(error);
  };
}
