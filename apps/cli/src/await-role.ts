/** Waits until a role says that it can work. */

import { get } from 'node:http';
import { StartError } from '@millrace/core';
import { pause } from './pause.ts';
import { logTail } from './role-log.ts';
import type { Role, RoleProcess } from './role-process.ts';

/** A role starts in about a second; on a machine that has a lot else to do, in some. */
const READY_WITHIN_MS = 45_000;
const ANSWER_TIMEOUT_MS = 2000;
const ASK_EVERY_MS = 50;

/**
 * Resolves when `role` answers its readiness with 200.
 * @throws StartError with the last lines of its log when it has ended, or is not ready in time; the signal's reason.
 */
export async function awaitRole(role: Role, running: RoleProcess, signal: AbortSignal): Promise<void> {
  let said = 'no answer';
  for (const started = Date.now(); Date.now() - started < READY_WITHIN_MS; ) {
    signal.throwIfAborted();
    if (running.hasExited()) {
      throw new StartError(`${role.name} ended at its start (${await running.exited}). ${theLog(role)}`);
    }
    const answer = await ask(role.readyUrl);
    if (answer.status === 200) return;
    said = answer.said;
    await pause(ASK_EVERY_MS, signal);
  }
  throw new StartError(
    `${role.name} was not ready within ${READY_WITHIN_MS / 1000} s (${role.readyUrl}: ${said}). ${theLog(role)}`,
  );
}

function theLog(role: Role): string {
  const tail = logTail(role.logFile);
  return tail === '' ? `Its log, ${role.logFile}, is empty.` : `Its log, ${role.logFile}, ends with:\n\n${tail}`;
}

/** Without keep-alive: a connection left open would hold up the role's own stop. */
function ask(url: string): Promise<{ status: number; said: string }> {
  return new Promise((done) => {
    const request = get(url, { agent: false, timeout: ANSWER_TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body = (body + chunk).slice(0, 300);
      });
      response.on('error', (error) => done({ status: 0, said: error.message }));
      response.on('end', () => done({ status: response.statusCode ?? 0, said: `${response.statusCode} ${body}` }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (error) => done({ status: 0, said: error.message }));
  });
}
