/** The pages of the dashboard that there is something to see on. */
import type { CrowdedStack } from './crowded-stack.ts';

export function pagesToOpen({ completed, failed, batch, flow, cause }: CrowdedStack): string[] {
  return [
    ...['/', '/jobs', '/jobs?status=failed', '/jobs?queue=archive&status=queued', '/jobs?text=best+of+times'],
    ...[`/jobs/${completed}`, `/jobs/${failed}`],
    ...['/failures', `/failures/${cause}`, '/batches', `/batches/${batch}`, '/flows', `/flows/${flow}`],
    ...['/cost', '/cost?days=90', '/audit'],
  ];
}
