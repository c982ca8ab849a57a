/** What surrounds every call: it never throws, and leaves nothing open. */
import type { Outcome } from '@millrace/core';
import { decide, reattachLater } from './decide.ts';
import { NoModelError } from './first-model.ts';
import type { Flight } from './flight.ts';
import type { Line } from './line.ts';

/** Runs `work` to its Outcome, whatever it throws, and closes the flight. */
export async function guardCall(line: Line, flight: Flight, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NoModelError) return error.outcome;
    line.onFault(error);
    // Only the kind of fault: its message might quote a header or a prompt.
    const message = `A fault in Millrace: ${error instanceof Error ? error.name : typeof error}.`;
    const finding = { row: 'internal', message } as const;
    if (flight.response !== null) return reattachLater(finding, flight.response.reattach, true);
    return decide(finding, flight.exchange?.sent ?? false);
  } finally {
    flight.close();
  }
}
