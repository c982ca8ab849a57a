/** What is done about a key that is not known, whichever way it came: counted, refused where it is too often, noted. */
import type { Store } from '@millrace/queue';
import type { Request } from 'express';
import { openRefusals } from './note-refusals.ts';
import { openSignInAttempts } from './sign-in-attempts.ts';

export interface WrongKeys {
  /** To be asked before a form's key is looked at. @throws ShedError 429 */
  check(request: Request): void;
  /** A form's key was wrong. */
  refused(request: Request): void;
  /** A key that was sent as a Bearer was wrong. @throws ShedError 429 where it was so too often */
  bearerRefused(request: Request, secret: string): void;
}

export function openWrongKeys(store: Store): WrongKeys {
  const attempts = openSignInAttempts();
  const note = openRefusals(store);
  const addressOf = (request: Request): string => request.ip ?? 'unknown';
  return {
    check: (request) => attempts.check(addressOf(request)),
    refused: (request) => {
      attempts.refused(addressOf(request));
      note(addressOf(request));
    },
    bearerRefused: (request, secret) => {
      attempts.bearerRefused(addressOf(request), secret);
      note(addressOf(request));
    },
  };
}
