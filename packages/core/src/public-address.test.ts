import { describe, expect, it } from 'vitest';
import { checkWebhookUrl, isAddressRange, isCallable } from './public-address.ts';

describe('an address that may be called', () => {
  it.each(['93.184.216.34', '8.8.8.8', '2606:2800:220:1:248:1893:25c8:1946', '::ffff:8.8.8.8'])('%s is', (address) => {
    expect(isCallable(address, [])).toBe(true);
  });
  it.each([
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1'],
    ...['::', '::1', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:169.254.169.254'],
    ...['::ffff:7f00:1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1', '2001::7f00:1', 'localhost', ''],
  ])('%s is not', (address) => {
    expect(isCallable(address, [])).toBe(false);
  });
  it('may be allowed one by one, or as a range, and nothing beside it', () => {
    const allow = ['10.1.0.0/16', '127.0.0.1', 'fd00::/8'];
    for (const address of ['10.1.2.3', '127.0.0.1', '::ffff:127.0.0.1', 'fd00::1']) {
      expect(isCallable(address, allow), address).toBe(true);
    }
    for (const address of ['10.2.0.1', '127.0.0.2', '::1', 'fc00::1']) {
      expect(isCallable(address, allow), address).toBe(false);
    }
    expect(['10.0.0.0/8', '::1', '1.2.3.4'].every(isAddressRange)).toBe(true);
    expect(['10.0.0.0/33', 'localhost', ''].some(isAddressRange)).toBe(false);
  });
});

describe('a webhook’s URL', () => {
  it.each([
    'https://example.com/hook?x=1',
    'http://example.com:8080',
    'https://localhost/later-by-dns',
    'http://8.8.8.8/',
  ])('%s is taken', (url) => {
    expect(() => checkWebhookUrl(url, [], 'webhook_url')).not.toThrow();
  });
  it.each([
    ...[
      'ftp://example.com',
      'file:///etc/passwd',
      'example.com',
      '',
      'http://',
      'https://exa mple.com',
      '\nhttp://x.y',
    ],
    ...['https://user:pw@example.com', 'https://user@example.com', 'http://127.0.0.1/', 'http://2130706433/'],
    ...['http://0x7f.1/', 'http://0177.0.0.1/', 'http://127.1/', 'http://[::1]/', 'http://[::]/', 'http://127.0.0.1./'],
    ...['http://[::ffff:127.0.0.1]/', 'http://169.254.169.254/latest', 'http://0/', 'http://10.0.0.1:80/'],
  ])('%j is refused by its name', (url) => {
    expect(() => checkWebhookUrl(url, [], 'webhook_url')).toThrow(expect.objectContaining({ param: 'webhook_url' }));
  });
});
