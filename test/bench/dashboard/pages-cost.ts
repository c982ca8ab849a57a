/** What opening each page costs Redis. */
import { launchBrowser, withPage } from '../../harness/browser.ts';
import { median, print, round } from '../figures.ts';
import type { CrowdedStack } from './crowded-stack.ts';
import { pagesToOpen } from './pages-to-open.ts';

const OPENINGS = 10;
const ROUNDS = 5;

/** Each page is opened again and again in a browser, beside as long in which none is: the difference is what it costs. */
export async function pagesCost(stack: CrowdedStack): Promise<void> {
  const chromium = await launchBrowser();
  try {
    for (const path of pagesToOpen(stack)) {
      const costs: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        const opened = await spent(stack, async () => {
          for (let n = 0; n < OPENINGS; n++) {
            await withPage(chromium.browser, `${stack.dashboard.url}${path}`, async (page) => {
              await page.locator('#live.live').waitFor();
              await page.locator('main h1').waitFor();
              await page.waitForLoadState('networkidle').catch(() => undefined);
            });
          }
        });
        const idle = await spent(stack, () => new Promise((resolve) => setTimeout(resolve, opened.ms)));
        costs.push(((opened.cpuMs / opened.ms - idle.cpuMs / idle.ms) * opened.ms) / OPENINGS);
      }
      print({
        ...{ bench: 'dashboard', what: 'Redis CPU of opening a page, ms', path: path.replace(/resp_\w+/, 'resp_…') },
        ...{ median_ms: round(median(costs), 2), most_ms: round(Math.max(...costs), 2), jobs: stack.jobs },
        goal: 'median_ms <= 5',
      });
    }
  } finally {
    await chromium.close();
  }
}

async function spent(stack: CrowdedStack, work: () => Promise<unknown>): Promise<{ ms: number; cpuMs: number }> {
  const [began, before] = [performance.now(), await stack.redisCpu()];
  await work();
  return { ms: performance.now() - began, cpuMs: ((await stack.redisCpu()) - before) * 1000 };
}
