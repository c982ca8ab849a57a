/** For how long rollups are kept, and how large one may become: every field of them is named by what jobs ask for. */

/** Two days of minutes, counted from each one's last new field. */
export const MINUTES_KEPT_MS = 48 * 3_600_000;
/** A year of days, and the month before it to compare with. */
export const DAYS_KEPT_MS = 400 * 86_400_000;

/** About 50 models a minute, beside statuses and reasons; what comes beyond counts as of the model `other`. */
export const MINUTE_FIELDS = 200;
/** About 500 pairs of model and API key a day, each with calls, input, cached and output tokens; beyond: `other`. */
export const DAY_FIELDS = 2000;
/** A model with a longer name counts as `other`. */
export const MODEL_BYTES = 200;
