/** A job whole, as it is stored, for whom the page cuts. */
import type { JobWithAnswer } from '@millrace/queue';

/** Everything but the webhook's address, which may carry a secret of its receiver. */
export function jobJson({ job, answer }: JobWithAnswer): Record<string, unknown> {
  const { webhook_url: _, ...shown } = job;
  return { ...shown, answer };
}
