/** A flow whole, as it is stored, for whom the page cuts. */
import type { Flow } from '@millrace/queue';

/** Everything but the webhooks' addresses, which may carry a secret of their receiver. */
export function flowJson(flow: Flow): Record<string, unknown> {
  const steps = Object.entries(flow.definition.steps).map(([name, { job, ...step }]) => {
    const { webhook_url: _, ...shown } = job;
    return [name, { ...step, job: shown }];
  });
  return { ...flow, definition: { ...flow.definition, steps: Object.fromEntries(steps) } };
}
