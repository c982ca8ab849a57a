/** A job whole, as it is stored, for whom the page cuts. */
import type { JobWithAnswer, Turn } from '@millrace/queue';

/** Everything but the webhook's address, which may carry a secret of its receiver. */
export function jobJson({ job, answer }: JobWithAnswer, turns: readonly Turn[]): Record<string, unknown> {
  const { webhook_url: _, ...shown } = job;
  return { ...shown, turns, answer };
}
