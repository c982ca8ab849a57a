/** A moment to come as how far off it is, kept true; the time itself on hover. */
import { useEffect, useState } from 'react';
import { formatDuration, formatTime } from '../format.ts';

const EVERY_MS = 1000;

export function Until({ at }: { at: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const left = Math.max(0, at - now);
  // Fractions of a second are of no use in what is a guess.
  const shown = Math.max(1000, Math.ceil(left / 1000) * 1000);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatTime(at)}>
      in {formatDuration(shown).replace('.0 s', ' s')}
    </time>
  );
}
