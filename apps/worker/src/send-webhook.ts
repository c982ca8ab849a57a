/**
 * One try at a delivery. The name is looked up once, every address of it is checked, and the connection goes to that
 * address and nowhere else: no redirect is followed, and a name that turns another way in between changes nothing.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isCallable } from '@millrace/core';
import type { WebhookEvent } from '@millrace/queue';
import { Webhook } from 'standardwebhooks';

/** From the first byte out to the answer's status. */
const TIMEOUT_MS = 15_000;
/** What is read of an answer, so that its connection ends well. */
const ANSWER_BYTES = 64 * 1024;

export type Resolve = (host: string) => Promise<LookupAddress[]>;

export interface Target {
  url: string;
  /** `whsec_…` */
  secret: string;
  /** Addresses and ranges that may be called though they are not public. */
  allow: readonly string[];
  resolve?: Resolve;
}

/**
 * Sends it once.
 * @returns the answer's status
 * @throws Error saying in words what kept it from being sent, or answered
 */
export async function sendWebhook(event: WebhookEvent, { url, secret, allow, resolve }: Target): Promise<number> {
  const { protocol, hostname, port, pathname, search, username } = new URL(url);
  if (!/^https?:$/.test(protocol) || username !== '') throw new Error('its URL is not one that is called');
  const host = hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) ? [{ address: host, family: isIP(host) }] : await (resolve ?? resolveAll)(host);
  const [first] = addresses;
  if (first === undefined) throw new Error(`${host} has no address`);
  const forbidden = addresses.find(({ address }) => !isCallable(address, allow));
  if (forbidden !== undefined) {
    throw new Error(`${host} leads to ${forbidden.address}, which is not public (webhooks.allow)`);
  }
  const body = JSON.stringify({
    object: 'event',
    id: event.id,
    type: event.type,
    created_at: Math.floor(event.createdAt / 1000),
    data: event.data,
  });
  const now = new Date();
  return post(body, {
    protocol,
    method: 'POST',
    // Kept as it is for Host and TLS; where it leads is decided by `lookup`, which knows one address.
    hostname: host,
    path: pathname + search,
    ...(port === '' ? {} : { port }),
    agent: false,
    lookup: (_name, options, done) => {
      if (options.all) done(null, [first]);
      else done(null, first.address, first.family);
    },
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Millrace',
      'webhook-id': event.id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(event.id, now, body),
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

function resolveAll(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dnsLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
}

function post(body: string, options: RequestOptions): Promise<number> {
  const send = options.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(options, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES) response.destroy();
      });
      // The status has been said; whatever comes of the rest does not matter.
      response.on('error', () => undefined);
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
    request.end(body);
  });
}
