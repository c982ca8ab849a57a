/** How much of a job's events is kept, and for how long: the numbers that scripts and readers agree on. */

/** Beyond it the oldest events go: some 80,000 deltas. Who reads along misses nothing; who comes later reads the answer. */
export const EVENTS_BYTES = 16 * 1024 * 1024;

/** After the job's end; a reader that comes later is given the answer's events as they could have been. */
export const EVENTS_KEPT_MS = 3_600_000;

/** Without a new event: longer than any answer pauses. */
export const EVENTS_RUNNING_MS = 86_400_000;

/** An entry holds some events, but is cut here: so much at once is in the memory of whoever reads. */
export const ENTRY_BYTES = 32 * 1024;

/** Entries that are read in one go. */
export const ENTRIES_PER_READ = 8;
