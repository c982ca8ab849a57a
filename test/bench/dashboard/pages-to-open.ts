/** The pages of the dashboard that there is something to see on. */
import type { CrowdedStack } from './crowded-stack.ts';

export function pagesToOpen({ completed, failed }: Pick<CrowdedStack, 'completed' | 'failed'>): string[] {
  return [
    ...['/', '/jobs', '/jobs?status=failed', '/jobs?queue=archive&status=queued', '/jobs?text=best+of+times'],
    ...[`/jobs/${completed}`, `/jobs/${failed}`],
    ...['/failures', '/batches', '/flows', '/cost', '/audit'],
  ];
}
