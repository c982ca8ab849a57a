/** Who wants to hear of an event, and with what secret it is signed. */
import { randomBytes } from 'node:crypto';
import type { EventType } from '@millrace/core';
import { WEBHOOK_SECRET_KEY } from '../keys.ts';
import type { Store } from '../store.ts';

/** Whether any configured endpoint does. */
export function wantsEvent(store: Store, type: string): boolean {
  return endpointsOf(store, type).length > 0;
}

/** The URLs of the configured endpoints that do. */
export function endpointsOf({ config }: Store, type: string): string[] {
  return config.webhooks.endpoints
    .filter(({ events }) => events === undefined || events.includes(type as EventType))
    .map(({ url }) => url);
}

const SECRET_BYTES = 32;

/** What deliveries to a URL are signed with: `whsec_…`. Where none is configured one is made, once for the fleet. */
export async function secretOf(store: Store, url: string | null): Promise<string> {
  const { endpoints, secret } = store.config.webhooks;
  const own = endpoints.find((endpoint) => endpoint.url === url)?.secret ?? secret;
  if (own !== undefined) return own;
  const made = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  return (await store.redis.set(WEBHOOK_SECRET_KEY, made, 'NX', 'GET')) ?? made;
}
