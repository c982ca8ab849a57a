/** What the configuration asks for and this version does not do is said at start, not left to be found out. */
import type { Config, Log } from '@millrace/core';

/** Warns of each setting that is read and checked but has no effect yet. */
export function tellWhatIsNotServed(config: Config, log: Log): void {
  for (const [name, limit] of Object.entries(config.limits)) {
    const { requestsPerMinute, tokensPerMinute, inFlight } = limit;
    if (requestsPerMinute === undefined && tokensPerMinute === undefined && inFlight === undefined) continue;
    log.warn({ limit: name }, 'This limit is not enforced yet: only the concurrency of each queue bounds its calls');
  }
}
