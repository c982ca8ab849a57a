/** axe-core on a page: what keeps people from using it, by WCAG 2.2 AA and axe's own best practices. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

export interface AxeFinding {
  rule: string;
  impact: string;
  help: string;
  /** The elements, and what is wrong with each. */
  nodes: string[];
}

interface AxeResults {
  violations: {
    id: string;
    impact: string | null;
    help: string;
    nodes: { target: unknown; failureSummary?: string }[];
  }[];
}

let source: Promise<string> | undefined;

/**
 * The serious and critical findings. The page's context must have been made with `bypassCSP`, for axe to be let in.
 * @param rules of axe, by name; all that are on by default where it is left out
 */
export async function seriousFindings(page: Page, rules?: readonly string[]): Promise<AxeFinding[]> {
  source ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  if (!(await page.evaluate('"axe" in window'))) await page.addScriptTag({ content: await source });
  const options = { resultTypes: ['violations'], ...(rules === undefined ? {} : { runOnly: rules }) };
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, help, nodes }) => ({
      ...{ rule: id, impact: impact ?? '', help },
      nodes: nodes.map(({ target, failureSummary }) => `${String(target)}: ${failureSummary ?? ''}`),
    }));
}
