/** What every page stands in: the way around, whether what is shown is live, what is wrong with the whole. */
import { type ReactNode, useEffect, useRef } from 'react';
import { Link, useLocation } from 'wouter';
import type { OverviewView } from '../../src/views/overview.ts';
import { fetchJson } from './api.ts';
import { Banners } from './banners.tsx';
import { useConnection, useTopic } from './live.ts';
import { useSession } from './session.tsx';

const NAVIGATION = [
  { href: '/', text: 'Overview' },
  { href: '/jobs', text: 'Jobs' },
  { href: '/failures', text: 'Failures' },
  { href: '/batches', text: 'Batches' },
  { href: '/flows', text: 'Flows' },
  { href: '/cost', text: 'Cost' },
  { href: '/audit', text: 'Audit' },
] as const;

const STATES = {
  opening: 'connecting',
  live: 'live',
  stale: 'figures stand still',
  lost: 'connection lost; trying again',
} as const;

export function Frame({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const connected = useConnection();
  const reachable = useTopic<OverviewView>('overview')?.redis.reachable ?? true;
  const connection = connected === 'live' && !reachable ? 'stale' : connected;
  useEffect(() => {
    document.title = titleOf(path);
  }, [path]);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // Whoever reads by ear is taken to the new page's beginning.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the change of the path that counts
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus();
  }, [path]);
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <Link className="brand" href="/">
          <img src="/favicon.svg" alt="" width="22" height="22" />
          Millrace
        </Link>
        <nav aria-label="Main">
          <ul>
            {NAVIGATION.map(({ href, text }) => (
              <li key={href}>
                <Link href={href} aria-current={isHere(path, href) ? 'page' : undefined}>
                  {text}
                </Link>
              </li>
            ))}
            <li>
              <a href="/board/">bull-board</a>
            </li>
          </ul>
        </nav>
        <p className={`live ${connection}`} id="live" role="status">
          {STATES[connection]}
        </p>
        <Who />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Banners />
        {children}
      </main>
    </>
  );
}

/** What a tab is known by among others. */
function titleOf(path: string): string {
  const [, area = '', id] = path.split('/');
  const text = area === 'actions' ? 'Actions' : NAVIGATION.find(({ href }) => href === `/${area}`)?.text;
  const words = [text, ...(id === undefined ? [] : [`…${id.slice(-8)}`])].filter(Boolean);
  return [words.join(' '), 'Millrace'].filter(Boolean).join(' · ');
}

function isHere(path: string, href: string): boolean {
  return href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`);
}

function Who() {
  const { name, role, open } = useSession();
  if (open) return null;
  const leave = async (): Promise<void> => {
    await fetchJson('/api/session', { method: 'DELETE' });
    // Loaded anew: nothing of what was shown stays in the page.
    location.assign('/');
  };
  return (
    <p className="who">
      {name} <small>{role}</small>{' '}
      <button type="button" className="plain" onClick={() => void leave()}>
        Sign out
      </button>
    </p>
  );
}
