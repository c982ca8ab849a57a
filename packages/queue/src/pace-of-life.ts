/** How often a worker says that it lives, and when it is dead: the numbers that processes and scripts agree on. */

/** Half a second: five beats may be lost or late before anybody draws a conclusion; a beat costs Redis some 10 µs. */
export const BEAT_EVERY_MS = 500;

/**
 * Silent for this long is dead: its jobs are taken by others. With the beat's pace an orphan waits 3.5 s at worst, and a
 * worker whose thread or route hangs for two seconds keeps its jobs.
 */
export const DEAD_AFTER_MS = 3000;

/** Silent for this long has missed two beats: whether it lives is not known for the moment. */
export const MISSED_AFTER_MS = 1250;

/** No beat of anybody's for this long: Redis was away rather than every worker. */
export const GAP_MS = 1500;

/**
 * One crash is shared by all jobs in flight, and mostly it is no job's fault (a lost machine, the OOM killer): they all
 * start again at once, side by side. Whoever is there at the second is run in a process of its own, so that its next
 * crash takes nobody along.
 */
export const SUSPECT_CRASHES = 2;

/**
 * A job that so often killed the process it was isolated in, while the worker itself lived, is failed. Once would not
 * do: the machine's OOM killer may have picked that process for somebody else's memory.
 */
export const MAX_CRASHES_ALONE = 2;

/**
 * With this many crashes of whole workers it is failed too: for jobs that take the worker along wherever they run. Many
 * more than a job would meet by chance where workers are killed from outside every few seconds.
 */
export const MAX_CRASHES = 8;
