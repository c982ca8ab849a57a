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
 * start again at once, side by side. Whoever is there at the second is run alone, which holds up its whole process.
 */
export const SUSPECT_CRASHES = 2;

/**
 * With this many the job is failed: two it may have shared, and two it was alone at. One alone would not do: a process
 * that is killed from outside just then says nothing about its job.
 */
export const MAX_CRASHES = 4;
