/** Signing in: a key becomes a session. The key itself is kept nowhere. */
import { type FormEvent, useState } from 'react';
import type { SessionView } from '../../../src/views/session.ts';
import { fetchJson } from '../api.ts';
import { Problem } from '../parts/problem.tsx';

export function SignIn({ onSignedIn }: { onSignedIn: (session: SessionView) => void }) {
  const [key, setKey] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      onSignedIn(await fetchJson<SessionView>('/api/session', { body: { key } }));
    } catch (reason) {
      setError(reason as Error);
    }
  };
  return (
    <main className="sign-in">
      <h1>Millrace</h1>
      <form onSubmit={(event) => void submit(event)}>
        <label htmlFor="key">API key</label>
        <input
          id="key"
          type="password"
          autoComplete="current-password"
          required
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <button type="submit" className="primary">
          Sign in
        </button>
      </form>
      <p className="muted">
        One of the keys in MILLRACE_API_KEYS. An operator’s may change things, a viewer’s may look.
      </p>
      {error !== null && <Problem error={error} />}
    </main>
  );
}
