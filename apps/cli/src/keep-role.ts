/**
 * Keeps a role running: one that dies at its start is a fault to be shown, one that dies later is started again, with
 * a growing pause, until it has died so often in a row that starting it again is no remedy.
 */

import { awaitRole } from './await-role.ts';
import { pause } from './pause.ts';
import { type Role, type RoleProcess, startRole } from './role-process.ts';
import { StopRequested } from './stop-requests.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** Deaths in a row before it is left dead: with the pauses, some two minutes. */
const MAX_DEATHS = 8;
/** One that ran this long had started well: its death is the first of a new row. */
const STEADY_MS = 60_000;

export interface KeptRole {
  name: string;
  /** Resolves when it can work. @throws StartError when it ends first. */
  ready: Promise<void>;
  /** Resolves when it has died too often; never rejects. */
  givenUp: Promise<void>;
  /** Resolves when it is gone: true, if it went by itself within `graceMs`. */
  stop(graceMs: number): Promise<boolean>;
  kill(): void;
}

/** Starts `role` and keeps it running until it is stopped. `tell` gets a line for each thing that happens later. */
export function keepRole(role: Role, tell: (line: string) => void): KeptRole {
  const ending = new AbortController();
  let current: RoleProcess = startRole(role);
  const ready = awaitRole(role, current, ending.signal);

  const keep = async (): Promise<void> => {
    for (let deaths = 1; ; deaths++) {
      const how = await current.exited;
      if (ending.signal.aborted) return;
      if (Date.now() - current.startedAt > STEADY_MS) deaths = 1;
      if (deaths > MAX_DEATHS) {
        tell(`${role.name} ended ${deaths} times in a row (${how}) and is left so; see ${role.logFile}`);
        return;
      }
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (deaths - 1), LONGEST_PAUSE_MS);
      tell(`${role.name} ended (${how}); starting it again in ${pauseMs / 1000} s`);
      await pause(pauseMs, ending.signal);
      current = startRole(role);
      const again = current;
      awaitRole(role, again, ending.signal).then(
        () => tell(`${role.name} is back`),
        // It has ended again, which the loop sees, or it is being stopped, or it runs on unready, as its log says.
        () => {},
      );
    }
  };
  const givenUp = new Promise<void>((giveUp) => {
    ready.then(keep).then(
      () => {
        if (!ending.signal.aborted) giveUp();
      },
      // A failed start is reported by `ready`; the pause is cut short by `stop`. Neither is a death of this row.
      () => {},
    );
  });
  return {
    name: role.name,
    ready,
    givenUp,
    stop: (graceMs) => {
      ending.abort(new StopRequested(`${role.name} is being stopped`));
      return current.stop(graceMs);
    },
    kill: () => {
      ending.abort(new StopRequested(`${role.name} is being stopped`));
      current.kill();
    },
  };
}
