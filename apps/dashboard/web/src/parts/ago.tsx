/** A moment as how long ago it was, kept true; the time itself on hover. */
import { useEffect, useState } from 'react';
import { formatAgo, formatTime } from '../format.ts';

const EVERY_MS = 5000;

export function Ago({ at }: { at: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <>{at}</>;
  return (
    <time dateTime={date.toISOString()} title={formatTime(at)}>
      {formatAgo(now - at)}
    </time>
  );
}
