/** How soon the overview can be used in a browser that has nothing of it yet, and how much script came over the wire. */
import { launchBrowser } from '../../harness/browser.ts';
import { median, print, round } from '../figures.ts';
import type { CrowdedStack } from './crowded-stack.ts';

const LOADS = 15;

/** Interactive: the figures are there and a button of the queues table can be pressed. */
export async function overviewLoads(stack: CrowdedStack): Promise<void> {
  const chromium = await launchBrowser();
  const took: number[] = [];
  let scriptBytes = 0;
  try {
    for (let i = 0; i < LOADS; i++) {
      const context = await chromium.browser.newContext();
      const page = await context.newPage();
      const wire = await context.newCDPSession(page);
      await wire.send('Network.enable');
      const scripts = new Set<string>();
      let bytes = 0;
      wire.on('Network.responseReceived', ({ requestId, type }) => {
        if (type === 'Script') scripts.add(requestId);
      });
      wire.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        if (scripts.has(requestId)) bytes += encodedDataLength;
      });
      const began = performance.now();
      await page.goto(stack.dashboard.url, { waitUntil: 'commit' });
      await page.getByRole('button', { name: /pause/i }).first().click({ trial: true });
      took.push(performance.now() - began);
      await page.waitForLoadState('load');
      scriptBytes = Math.max(scriptBytes, bytes);
      await context.close();
    }
  } finally {
    await chromium.close();
  }
  print({
    ...{ bench: 'dashboard', what: 'overview interactive, ms', loads: LOADS, p50: round(median(took)) },
    ...{ most: round(Math.max(...took)), script_kb_over_the_wire: round(scriptBytes / 1000, 1) },
    goal: 'p50 <= 1000, script_kb_over_the_wire <= 300',
  });
}
