/** Preloaded into a role under test: its clock is CLOCK_AHEAD_MS ahead for as long as the file CLOCK_FILE is there. */
import { existsSync } from 'node:fs';

const right = Date.now;
const file = process.env.CLOCK_FILE;
const aheadMs = Number(process.env.CLOCK_AHEAD_MS);
const now = () => right() + (existsSync(file) ? aheadMs : 0);
const RightDate = Date;
globalThis.Date = class extends RightDate {
  constructor(...given) {
    super(...(given.length === 0 ? [now()] : given));
  }
  static now() {
    return now();
  }
};
