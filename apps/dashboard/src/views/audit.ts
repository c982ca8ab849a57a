/** `GET /api/audit`: who did what, the newest first. */
import type { Role } from '@millrace/core';

export interface ActView {
  id: string;
  /** Unix ms, by Redis's clock. */
  at: number;
  /** The API key's name; empty: somebody without a key. */
  who: string;
  role: Role | null;
  /** `queue.pause` … */
  what: string;
  target: string;
  /** The page of what it was done to, where it has one. */
  href: string | null;
  detail: string;
}

export interface AuditView {
  /** May be short, or empty, with more to come: so much is looked through at once. */
  acts: ActView[];
  /** To be asked for as `after`; null: this was the last page. */
  next: string | null;
}
