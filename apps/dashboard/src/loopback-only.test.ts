import { expect, it } from 'vitest';
import { isLoopbackHost } from './loopback-only.ts';

it('loopback names pass, with and without a port', () => {
  for (const host of [
    'localhost',
    'LOCALHOST:7071',
    '127.0.0.1',
    '127.0.0.1:7071',
    '127.8.9.1:80',
    '[::1]',
    '[::1]:7071',
  ]) {
    expect(isLoopbackHost(host), host).toBe(true);
  }
});

it('any other name is refused, however near it comes', () => {
  for (const host of [
    '',
    'evil.example',
    'localhost.evil.example',
    'evil.example:7071',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    'evil.example#localhost',
    'localhost:7071:1',
    'localhost/',
    '::1',
    '0.0.0.0',
    '10.0.0.1',
    '[::ffff:10.0.0.1]',
    'localhost evil.example',
  ]) {
    expect(isLoopbackHost(host), host).toBe(false);
  }
});
