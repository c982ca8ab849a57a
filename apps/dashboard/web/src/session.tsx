/** Who looks: known before any page is shown, asked for a key where there is nobody. */
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import type { SessionView } from '../../src/views/session.ts';
import { ApiError, fetchJson, onSignedOut, useToken } from './api.ts';
import { SignIn } from './pages/sign-in.tsx';
import { Problem } from './parts/problem.tsx';

const SessionContext = createContext<SessionView | null>(null);

/** The session; only below `SessionProvider`. */
export function useSession(): SessionView {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('there is no session here');
  return session;
}

/** Whether the caller may change things. */
export function useOperator(): boolean {
  return useSession().role === 'operator';
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [session, setSession] = useState<SessionView | null | undefined>(undefined);
  const [error, setError] = useState<Error | null>(null);
  useToken(session?.csrf ?? null);

  useEffect(() => {
    fetchJson<SessionView>('/api/session').then(setSession, (reason: Error) => {
      if (reason instanceof ApiError && reason.status === 401) setSession(null);
      else setError(reason);
    });
    return onSignedOut(() => setSession(null));
  }, []);

  if (error !== null) return <Problem error={error} />;
  if (session === undefined) return null;
  if (session === null) return <SignIn onSignedIn={setSession} />;
  return <SessionContext value={session}>{children}</SessionContext>;
}
