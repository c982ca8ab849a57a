/** How numbers and times are written. Everything is UTC and English: a page is the same wherever it is rendered. */
import type { Usage } from '@millrace/core';
import { type Html, html } from './html.ts';

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1234567 → 1,234,567. */
export function formatCount(count: number): string {
  return WHOLE.format(count);
}

/** 120 in (80 cached), 34 out (12 reasoning). */
export function formatTokens(usage: Usage): string {
  const cached = usage.input_tokens_details?.cached_tokens ?? 0;
  const reasoning = usage.output_tokens_details?.reasoning_tokens ?? 0;
  return (
    `${formatCount(usage.input_tokens)} in${cached > 0 ? ` (${formatCount(cached)} cached)` : ''}, ` +
    `${formatCount(usage.output_tokens)} out${reasoning > 0 ? ` (${formatCount(reasoning)} reasoning)` : ''}`
  );
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A span in the two units that matter: 240 ms, 3.4 s, 2 min 5 s, 3 h 20 min, 4 d 2 h. */
export function formatDuration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND_MS) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return twoUnits(ms, MINUTE_MS, 'min', SECOND_MS, 's');
  if (ms < DAY_MS) return twoUnits(ms, HOUR_MS, 'h', MINUTE_MS, 'min');
  return twoUnits(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

/** How long ago, in one unit: 12 s, 5 min, 3 h, 2 d. dashboard.js writes it the same way. */
export function formatAgo(ms: number): string {
  const past = Math.max(0, ms);
  if (past < MINUTE_MS) return `${Math.floor(past / SECOND_MS)} s ago`;
  if (past < HOUR_MS) return `${Math.floor(past / MINUTE_MS)} min ago`;
  if (past < DAY_MS) return `${Math.floor(past / HOUR_MS)} h ago`;
  return `${Math.floor(past / DAY_MS)} d ago`;
}

/** 2026-11-22 11:00:34 UTC. A time outside what a Date holds is shown as its number. */
export function formatTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A moment as an element; with `now` it is written as how long ago, which the script keeps true. */
export function timeElement(ms: number, now?: number): Html {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return html`${ms}`;
  if (now === undefined) return html`<time datetime="${date.toISOString()}">${formatTime(ms)}</time>`;
  return html`<time datetime="${date.toISOString()}" title="${formatTime(ms)}" data-ago>${formatAgo(now - ms)}</time>`;
}
