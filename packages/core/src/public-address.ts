/**
 * Which addresses may be called on a user's behalf: public ones, and those that the configuration allows. All else could
 * be something that only this machine or its network should reach.
 */
import ipaddr from 'ipaddr.js';
import { InvalidRequestError } from './errors.ts';

/** An address, or a range as `10.0.0.0/8`. */
export function isAddressRange(text: string): boolean {
  return ipaddr.isValidCIDR(text) || ipaddr.isValid(text);
}

/** @param allow addresses and ranges that may be called though they are not public */
export function isCallable(address: string, allow: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 address in an IPv6 one's clothes is that address.
  const parsed = ipaddr.process(address);
  return parsed.range() === 'unicast' || allow.some((range) => isWithin(parsed, range));
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, range: string): boolean {
  const [network, bits] = ipaddr.isValidCIDR(range)
    ? ipaddr.parseCIDR(range)
    : ([ipaddr.parse(range), ipaddr.parse(range).kind() === 'ipv4' ? 32 : 128] as const);
  return network.kind() === address.kind() && address.match([network, bits] as [typeof address, number]);
}

/**
 * An http:// or https:// URL; null for anything else. Its host is without brackets and the root's dots.
 */
export function readHttpUrl(url: string): { host: string; credentials: boolean } | null {
  const parsed = /\s/.test(url) ? null : URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return null;
  // The parser has brought decimal, octal and hex forms of an IPv4 address into the usual one.
  const host = parsed.hostname.replace(/^\[|\]$/g, '').replace(/\.+$/, '');
  return { host, credentials: parsed.username !== '' || parsed.password !== '' };
}

/**
 * What can be told of a webhook's URL without asking DNS; its names are looked up when it is called.
 * @param param what it is called in the request
 * @throws InvalidRequestError
 */
export function checkWebhookUrl(url: string, allow: readonly string[], param: string): void {
  const refused = (why: string): InvalidRequestError =>
    new InvalidRequestError(`'${param}' ${why}.`, param, 'invalid_value');
  const read = readHttpUrl(url);
  if (read === null) throw refused('is no http:// or https:// URL');
  if (read.credentials) throw refused('holds credentials; a webhook is signed instead');
  const { host } = read;
  if (ipaddr.isValid(host) && !isCallable(host, allow)) {
    throw refused(
      `leads to ${host}, which is no public address. Operators can allow it in the configuration (webhooks.allow)`,
    );
  }
}
