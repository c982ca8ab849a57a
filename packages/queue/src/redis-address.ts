/** Where a Redis is and how to get in, out of its URL exactly as ioredis reads it; can be sent to a thread. */
import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';

export interface RedisAddress {
  host: string;
  port: number;
  /** 4 or 6; 0 for either. */
  family: number;
  /** Of a Unix socket, in place of host and port. */
  path: string | null;
  username: string | null;
  password: string | null;
  db: number;
  /** null: without TLS. */
  tls: ConnectionOptions | null;
}

/** @param url redis:// or rediss:// */
export function redisAddress(url: string): RedisAddress {
  // Parses only: lazy as it is, it never connects.
  const { host, port, family, path, username, password, db, tls } = new Redis(url, { lazyConnect: true }).options;
  return {
    host: host ?? 'localhost',
    port: port ?? 6379,
    family: family ?? 0,
    path: path ?? null,
    username: username ? username : null,
    password: password ? password : null,
    db: db ?? 0,
    // `true` for a rediss:// URL that says no more.
    tls: tls ? (typeof tls === 'object' ? tls : {}) : null,
  };
}
