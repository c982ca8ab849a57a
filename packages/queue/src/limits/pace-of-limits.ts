/** The numbers of the shared limits that processes and scripts agree on. */

/**
 * What of the burst is used. The rest is left for calls that overtake each other between the reservation and the
 * upstream's own count: two buckets that are full at the same time would refuse whoever is a millisecond early.
 */
export const BURST_SHARE = 0.5;

/**
 * How soon a call may start whose place is taken now: long enough for a sleeping process to wake in time, and so short
 * that a more urgent job never stands behind many.
 */
export const HORIZON_MS = 50;

/** A process that was told when to ask again, and is so late, has lost its turn: it is busy, or dead. */
export const ASK_AGAIN_GRACE_MS = 250;

/** Of what an answer says is left, so much is believed at once: calls are counted upstream in another order than here. */
export const CORRECTION_GAIN = 0.5;

/** While nothing is known of a limit, twice as many calls may be in flight after each such time. */
export const LEARN_STEP_MS = 200;

/** So much of a limit at most is left to others (share): where all seems to be theirs, a few calls find out. */
export const OTHERS_MOST = 0.95;

/** What was learned of a limit is forgotten a week after its last use. */
export const LIMIT_KEPT_MS = 604_800_000;
