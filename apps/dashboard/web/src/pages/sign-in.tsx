/** Signing in: a key becomes a session. The key itself is kept nowhere. */
import { type FormEvent, useRef, useState } from 'react';
import type { SessionView } from '../../../src/views/session.ts';
import { fetchJson } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import '../styles/sign-in.css';

export function SignIn({ onSignedIn }: { onSignedIn: (session: SessionView) => void }) {
  const [key, setKey] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      const session = await fetchJson<SessionView>('/api/session', { body: { key } });
      const back = cameFrom();
      // What is not of these pages (bull-board) is loaded.
      if (back === null) onSignedIn(session);
      else location.replace(back);
    } catch (reason) {
      setError(reason as Error);
      setBusy(false);
      field.current?.select();
    }
  };
  return (
    <main className="sign-in">
      <h1>
        <img src="/favicon.svg" alt="" width="32" height="32" />
        Millrace
      </h1>
      <form onSubmit={(event) => void submit(event)}>
        <label htmlFor="key">API key</label>
        <input
          id="key"
          ref={field}
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          required
          aria-describedby="key-hint"
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <p className="muted" id="key-hint">
          One of the keys in <code>MILLRACE_API_KEYS</code>. An operator’s may change things, a viewer’s may look.
        </p>
        {error !== null && <Problem error={error} />}
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}

/** The page that sent us here to sign in; null: none, or one that is not ours. */
function cameFrom(): string | null {
  const back = new URLSearchParams(location.search).get('back');
  if (back === null) return null;
  const url = URL.parse(back, location.origin);
  if (url === null || url.origin !== location.origin || !back.startsWith('/')) return null;
  return `${url.pathname}${url.search}${url.hash}`;
}
