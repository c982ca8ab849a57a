/**
 * An answer's text while it comes, piece by piece; its end where it grows beyond what a page can show. Nothing is asked
 * for while nobody sees the page: a browser has six connections for all of its tabs.
 */
import { useEffect, useRef, useState } from 'react';

/** Of a longer one its end is shown: that is where it grows. */
const SHOWN_CHARACTERS = 64 * 1024;

const REFUSED_RETRY_MS = 2000;

interface Heard {
  text: string;
  reasoning: string;
  /** Characters that were cut off. */
  cut: number;
  /** null: not known yet. */
  streams: boolean | null;
}

const NOTHING: Heard = { text: '', reasoning: '', cut: 0, streams: null };

export function LiveText({ id }: { id: string }) {
  const [heard, setHeard] = useState(NOTHING);
  const gathered = useRef(NOTHING);
  useEffect(() => {
    let frame = 0;
    const update = (change: Partial<Heard>): void => {
      gathered.current = { ...gathered.current, ...change };
      // Once a picture, however many pieces come between two.
      if (frame === 0) {
        frame = requestAnimationFrame(() => {
          frame = 0;
          setHeard(gathered.current);
        });
      }
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const connect = (): EventSource => {
      const events = new EventSource(`/api/jobs/${encodeURIComponent(id)}/events`);
      events.addEventListener('begin', (event) => update({ ...NOTHING, ...(JSON.parse(event.data) as object) }));
      events.addEventListener('delta', (event) => {
        const { kind, text } = JSON.parse(event.data) as { kind: 'text' | 'reasoning'; text: string };
        const whole = gathered.current[kind] + text;
        const beyond = Math.max(0, whole.length - SHOWN_CHARACTERS);
        update({ [kind]: whole.slice(beyond), cut: gathered.current.cut + (kind === 'text' ? beyond : 0) });
      });
      // Told from the beginning again by the next connection.
      events.addEventListener('replaced', () => update(NOTHING));
      for (const last of ['end', 'gone']) {
        events.addEventListener(last, () => {
          over = true;
          events.close();
        });
      }
      events.addEventListener('error', () => {
        // A browser gives up for good what is refused, as it is while Redis is away.
        if (events.readyState !== EventSource.CLOSED) return;
        timer = setTimeout(follow, REFUSED_RETRY_MS);
      });
      return events;
    };
    let source: EventSource | null = null;
    const follow = (): void => {
      clearTimeout(timer);
      source?.close();
      source = over || document.hidden ? null : connect();
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      source?.close();
    };
  }, [id]);

  return (
    <>
      {heard.streams === false && (
        <p className="empty">This call is not streamed: its answer comes whole, when it is there.</p>
      )}
      {heard.streams !== false && heard.text === '' && heard.reasoning === '' && (
        <p className="empty">Nothing has come yet. It will be shown here as it does.</p>
      )}
      {heard.reasoning !== '' && (
        <details>
          <summary>Reasoning</summary>
          <pre dir="auto">{heard.reasoning}</pre>
        </details>
      )}
      {heard.cut > 0 && <p className="cut">The beginning is left out while it grows.</p>}
      {heard.text !== '' && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <pre className="live-text" dir="auto" tabIndex={0}>
          {heard.text}
        </pre>
      )}
    </>
  );
}
