/** What the search knows: whether there is an index, how far it is, what is in it and for how long. */
import type { IndexState as State } from '../../../src/search/job-index.ts';
import { formatCount, formatDuration, formatShare, formatTime } from '../format.ts';

const MIB = 1024 ** 2;
const DAY_MS = 86_400_000;
/** Less than that is what the index is behind at any time. */
const BEHIND_MS = 5000;

export function IndexState({ index, indexed, now }: { index: State; indexed: boolean; now: number }) {
  const { trouble, making, until, since, jobs, bytes, bounds } = index;
  const behindMs = until === null ? null : Math.max(0, now - until);
  return (
    <section aria-label="The index" className="index-state">
      {trouble !== null && (
        <p className="notice bad">
          There is no index: {trouble} All filters but queue and status need it, and do not work until it is there.
        </p>
      )}
      {trouble === null && making !== null && (
        <p className="notice warn">
          The index is being made: {formatShare(making)} of the jobs are in it, the newest first. All filters but queue
          and status find only those.
        </p>
      )}
      {trouble === null && making === null && behindMs !== null && behindMs > BEHIND_MS && (
        <p className={`notice ${indexed ? 'warn' : ''}`}>
          The index is {formatDuration(behindMs)} behind: what came or ended since is not found by it yet.
        </p>
      )}
      <p className="muted">
        All filters but queue and status look in an index beside Redis: {formatCount(jobs)} jobs
        {since !== null && `, submitted since ${formatTime(since)}`},{' '}
        {bytes < MIB ? 'less than 1' : formatCount(bytes / MIB)} MiB. It has the first{' '}
        {formatCount(bounds.textCharacters)} characters of each prompt and output, except of jobs with store: false, for
        as long as the job is kept, at most {formatCount(bounds.ageMs / DAY_MS)} days, {formatCount(bounds.jobs)} jobs
        and {formatCount(bounds.bytes / MIB)} MiB; the oldest go first.
      </p>
    </section>
  );
}
