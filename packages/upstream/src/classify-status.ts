/** An HTTP status that is an error, and its body, become a finding. */
import type { AnswerHeaders } from './answer-headers.ts';
import type { Finding } from './decide.ts';
import type { RowName } from './decision-table.ts';
import { type ErrorWords, errorWordsOf } from './error-words.ts';
import { retryAfterMs } from './retry-after.ts';

/** Codes and types that say the money is gone, whatever status they come with. Source: OpenAI's error codes. */
const OUT_OF_QUOTA: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
]);

/** 402 is how OpenRouter, DeepSeek and others say it; 520 and 524 are Cloudflare's. */
const BY_STATUS: Readonly<Record<number, RowName>> = {
  401: 'unauthorized',
  402: 'outOfQuota',
  403: 'forbidden',
  404: 'notFound',
  408: 'requestTimeout',
  409: 'conflict',
  422: 'unprocessable',
  429: 'rateLimited',
  501: 'notImplemented',
  502: 'gatewayError',
  504: 'gatewayError',
  505: 'notImplemented',
  520: 'gatewayError',
  524: 'gatewayError',
};

/** True for an error whose code or type says that the account can pay for nothing more. */
export function saysOutOfQuota(words: Pick<ErrorWords, 'code' | 'type'>): boolean {
  return OUT_OF_QUOTA.has(words.code ?? '') || OUT_OF_QUOTA.has(words.type ?? '');
}

/** @param status below 200 or from 300 on. */
export function classifyStatus(status: number, headers: AnswerHeaders, body: string): Finding {
  const words = errorWordsOf(body, headers.get('content-type'), `The upstream answered with status ${status}.`);
  const row = saysOutOfQuota(words) ? 'outOfQuota' : (BY_STATUS[status] ?? byClass(status));
  const told = headers.get('x-should-retry');
  return {
    row,
    message: row === 'redirected' ? redirectMessage(status, headers) : words.message,
    code: words.code ?? words.type,
    param: words.param,
    status,
    afterMs: retryAfterMs(headers),
    // Quota outranks the header: obeying it would have every job of the queue wait its attempts out.
    ...(row === 'outOfQuota' ? {} : told === 'true' ? { toldTo: 'retry' } : told === 'false' ? { toldTo: 'fail' } : {}),
  };
}

function byClass(status: number): RowName {
  if (status >= 500) return 'serverError';
  return status >= 400 ? 'badRequest' : 'redirected';
}

function redirectMessage(status: number, headers: AnswerHeaders): string {
  const target = headers.get('location');
  const where = target === null ? '' : ` to ${target.split('?')[0]?.slice(0, 200)}`;
  return `The upstream answered with a redirect (${status})${where}. Redirects are not followed: correct its baseURL.`;
}
