/**
 * Every page of the dashboard and how it is reached: what is promised of all pages (that nothing hostile runs in them,
 * that everybody can use them, that they look well) is tried on this list. A new page belongs here.
 */
import type { Page } from 'playwright-core';
import { eventually } from './eventually.ts';

/** What there must be for the pages that show one thing. */
export interface DashboardContents {
  job: string;
  failedJob: string;
  batch: string;
  flow: string;
}

export interface DashboardPage {
  /** Also the name of its picture. */
  name: string;
  path: string;
  /** Its address is only known to a page that links to it: the first link that begins so. */
  link?: string;
  /** bull-board's, with its own look and faults. */
  foreign?: true;
}

export function dashboardPages({ job, failedJob, batch, flow }: DashboardContents): DashboardPage[] {
  return [
    { name: 'overview', path: '/' },
    { name: 'jobs', path: '/jobs' },
    { name: 'job', path: `/jobs/${job}` },
    { name: 'failed-job', path: `/jobs/${failedJob}` },
    { name: 'failures', path: '/failures' },
    { name: 'cohort', path: '/failures', link: '/failures/' },
    { name: 'action', path: '/failures', link: '/actions/' },
    { name: 'batches', path: '/batches' },
    { name: 'batch', path: `/batches/${batch}` },
    { name: 'flows', path: '/flows' },
    { name: 'flow', path: `/flows/${flow}` },
    { name: 'cost', path: '/cost' },
    { name: 'audit', path: '/audit' },
    { name: 'not-found', path: '/nowhere' },
  ];
}

/** bull-board's pages of a queue. */
export function boardPages(queue: string, job: string): DashboardPage[] {
  return [
    { name: 'board', path: '/board/', foreign: true },
    { name: 'board-queue', path: `/board/queue/${queue}`, foreign: true },
    { name: 'board-job', path: `/board/queue/${queue}/${job}`, foreign: true },
  ];
}

const QUIET_MS = 300;
/** A page that never stands still, because what it shows moves, is looked at all the same. */
const RESTLESS_MS = 1500;

/** Resolves in the page once nothing has changed in it for a while. Runs in the browser, hence a string. */
const QUIET = `new Promise((resolve) => {
  let timer = setTimeout(resolve, ${QUIET_MS});
  setTimeout(resolve, ${RESTLESS_MS});
  new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(resolve, ${QUIET_MS});
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
})`;

/** Opens what is folded: some of it is fetched only then. */
export async function unfold(page: Page): Promise<void> {
  await page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true");
  await page.evaluate(QUIET);
}

/** Opens a page and waits until all of it is there; by a link, once the index has what the link stands for. */
export async function openDashboardPage(page: Page, url: string, entry: DashboardPage): Promise<void> {
  const asked = new Set<unknown>();
  page.on('request', (request) => {
    if (request.resourceType() !== 'eventsource') asked.add(request);
  });
  page.on('requestfinished', (request) => asked.delete(request));
  page.on('requestfailed', (request) => asked.delete(request));
  const settled = async (): Promise<void> => {
    if (entry.foreign) await page.locator('main, #root > *').first().waitFor();
    else await page.locator('main h1').first().waitFor();
    await eventually('all that was asked for is there', () => asked.size === 0);
    await page.evaluate(QUIET);
    await page.getByText('Loading…', { exact: true }).first().waitFor({ state: 'detached' });
  };
  await page.goto(`${url}${entry.path}`);
  await settled();
  if (entry.link === undefined) return;
  const link = page.locator(`main a[href^="${entry.link}"]`).first();
  await link.click();
  await page.waitForURL((at) => at.pathname.startsWith(entry.link ?? ''));
  await settled();
}
