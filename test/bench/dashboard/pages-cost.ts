/** What opening each page costs Redis. */
import { get } from 'node:http';
import { type LaunchedBrowser, launchBrowser, withPage } from '../../harness/browser.ts';
import { openDashboardPage } from '../../harness/dashboard-pages.ts';
import { median, print, round } from '../figures.ts';
import type { CrowdedStack } from './crowded-stack.ts';
import { pagesToOpen } from './pages-to-open.ts';

const OPENINGS = 100;
const ROUNDS = 7;

/**
 * A browser opens each page once, and tells what it asks the server for. That is asked for again and again, beside as
 * long in which nothing is: the difference is what an opening costs, however much else goes on.
 */
export async function pagesCost(stack: CrowdedStack): Promise<void> {
  const chromium = await launchBrowser();
  try {
    for (const path of pagesToOpen(stack)) {
      const asked = await askedBy(chromium, stack.dashboard.url, path);
      const costs: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        const opened = await spent(stack, async () => {
          for (let n = 0; n < OPENINGS; n++) await Promise.all(asked.map(ask));
        });
        const idle = await spent(stack, () => new Promise((resolve) => setTimeout(resolve, opened.ms)));
        costs.push((opened.cpuMs - (idle.cpuMs / idle.ms) * opened.ms) / OPENINGS);
      }
      print({
        ...{ bench: 'dashboard', what: 'Redis CPU of opening a page, ms', path: path.replace(/[0-9a-f]{16,}/, '…') },
        ...{ median_ms: round(median(costs), 2), most_ms: round(Math.max(...costs), 2), requests: asked.length },
        ...{ jobs: stack.jobs, goal: 'median_ms <= 5' },
      });
    }
  } finally {
    await chromium.close();
  }
}

/** The addresses below /api that a page asks for until it stands. Of its live streams the last, which has all topics. */
async function askedBy({ browser }: LaunchedBrowser, url: string, path: string): Promise<string[]> {
  const asked = new Set<string>();
  let live: string | null = null;
  await withPage(browser, 'about:blank', async (page) => {
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/api/`) || request.method() !== 'GET') return;
      if (request.resourceType() === 'eventsource') live = request.url();
      else asked.add(request.url());
    });
    await openDashboardPage(page, url, { name: path, path });
  });
  return [...asked, ...(live === null ? [] : [live])];
}

/** Resolves once it is answered; a stream, once it has told each of its topics. */
function ask(url: string): Promise<void> {
  const topics = new URL(url).searchParams.get('topics')?.split(',') ?? [];
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`${url}: ${response.statusCode}`));
      const missing = new Set(topics);
      let rest = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        rest += text;
        for (const [, topic = ''] of rest.matchAll(/^event: (.*)$/gm)) missing.delete(topic);
        rest = rest.slice(rest.lastIndexOf('\n') + 1);
        if (topics.length > 0 && missing.size === 0) response.destroy();
      });
      response.on('error', () => undefined);
      response.on('close', resolve);
    });
    request.on('error', reject);
  });
}

async function spent(stack: CrowdedStack, work: () => Promise<unknown>): Promise<{ ms: number; cpuMs: number }> {
  const [began, before] = [performance.now(), await stack.redisCpu()];
  await work();
  return { ms: performance.now() - began, cpuMs: ((await stack.redisCpu()) - before) * 1000 };
}
