/**
 * A job's id is its response id: `resp_` + 48 hex digits. The first eight name its queue (a hash of the name), so an id
 * alone tells where the job lives: one read, no directory of ids to keep, and each queue's keys may sit in a Redis
 * Cluster slot of their own. The other forty are random (160 bits).
 */
import { createHash, randomBytes } from 'node:crypto';

const ID_PATTERN = /^resp_[0-9a-f]{48}$/;
const TAG_LENGTH = 8;
const RANDOM_BYTES = 20;

/** The eight hex digits that stand for a queue in its jobs' ids. */
export function queueTag(queue: string): string {
  return createHash('sha256').update(queue).digest('hex').slice(0, TAG_LENGTH);
}

/** A new id for a job of the queue whose tag is given. */
export function newJobId(tag: string): string {
  return `resp_${tag}${randomBytes(RANDOM_BYTES).toString('hex')}`;
}

/** The tag inside an id, or null when the text is no job id at all. */
export function tagOfJobId(id: string): string | null {
  return ID_PATTERN.test(id) ? id.slice('resp_'.length, 'resp_'.length + TAG_LENGTH) : null;
}
