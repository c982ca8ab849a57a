/** When a breaker opens, how it looks whether the upstream is back, and how it closes: what processes and scripts agree on. */

/**
 * The rate is that of the latest calls, not only of the latest seconds: after minutes of health at 50 calls a second, a
 * share of ten seconds would need 250 failures to reach a half. So a total outage opens it at the tenth failure, however
 * much went well before; at most one more a process, whose first failure is told with what it knew until then.
 */
export const SAMPLE_CALLS = 20;

/** Older calls say nothing of now. Polly's default sampling duration; three times the default connect timeout. */
export const SAMPLE_MS = 30_000;

/** Of the sample, at least so many have failed … cockatiel's and Hystrix's usual threshold. */
export const FAILURE_SHARE = 0.5;

/**
 * … and so many in all. Where each call fails with p = 0.05, ten of twenty do with probability 1.1e-8, by the binomial
 * distribution: once in a hundred million calls. With five of ten it would be once in 16,000.
 */
export const OPEN_AT_FAILURES = 10;

/** While calls come back step by step, few are enough: with p = 0.05, three of the first six do so once in 1000 ramps. */
export const REOPEN_AT_FAILURES = 3;

/** From opening to the first probe; each further one comes after twice the time, as long as none succeeds. */
export const PROBE_MS = 1000;
/** An upstream that is back is noticed after this time at the latest. */
export const PROBE_AT_MOST_MS = 30_000;

/**
 * Starts that a success allows while half open. Each ends one call and starts two, so the calls in flight double with
 * every round: TCP's slow start (RFC 5681, section 3.1).
 */
export const STARTS_PER_SUCCESS = 2;

/** So many calls have ended well since it began to recover, some as many in flight at once: closed. Seven doublings. */
export const CLOSE_AT_SUCCESSES = 128;

/**
 * While half open, one call may start after this time in any case: starts allowed to a process that died are lost, and
 * an upstream that takes a minute to answer is not tried with two calls a minute.
 */
export const TRICKLE_MS = 1000;

/** Nobody has called for a day: what was known is of no use. */
export const BREAKER_KEPT_MS = 86_400_000;
