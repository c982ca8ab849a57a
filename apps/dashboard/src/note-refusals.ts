/**
 * Refused sign-ins in the audit list: some an hour by themselves, the rest by their number, so that who tries out keys
 * cannot push out of the list what was done. The log has every one of them.
 */
import { noteAct, type Store } from '@millrace/queue';

const HOUR_MS = 3_600_000;
const NOTED_AN_HOUR = 10;

/** Returns what is to be called with the address of each. Never throws. */
export function openRefusals(
  store: Store,
  note: typeof noteAct = noteAct,
  now: () => number = () => performance.now(),
): (address: string) => void {
  let since = now();
  let noted = 0;
  let untold = 0;
  return (address) => {
    store.log.warn({ address }, 'A key was refused: it is not known');
    if (now() - since >= HOUR_MS) {
      since = now();
      noted = 0;
    }
    if (noted >= NOTED_AN_HOUR) {
      untold += 1;
      return;
    }
    noted += 1;
    const more = untold === 0 ? '' : `; and ${untold} more before it`;
    untold = 0;
    void note(store, { who: '', role: null, what: 'session.refused', target: '', detail: `from ${address}${more}` });
  };
}
