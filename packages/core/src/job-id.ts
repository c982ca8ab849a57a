/**
 * A job's id is its response id: `resp_` + 48 hex digits. The first eight name its queue (a hash of the name), so an id
 * alone tells where the job lives: one read, no directory of ids to keep, and each queue's keys may sit in a Redis
 * Cluster slot of their own. The other forty are random (160 bits).
 */
import { createHash, hash, randomBytes } from 'node:crypto';

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

/** The id of a batch of the queue whose tag is given: `batch_`, the tag, and forty hex digits of its own. */
export function newBatchId(tag: string): string {
  return `batch_${tag}${randomBytes(RANDOM_BYTES).toString('hex')}`;
}

/** The tag inside a batch's id, or null when the text is none. */
export function tagOfBatchId(id: string): string | null {
  return /^batch_[0-9a-f]{48}$/.test(id) ? id.slice('batch_'.length, 'batch_'.length + TAG_LENGTH) : null;
}

/**
 * The id of a batch's job: the same for the same line, so that a line that is added twice is one job.
 * @param place the line's place among the batch's requests, from 0
 */
export function jobIdOfLine(batchId: string, place: number): string {
  const own = hash('sha256', `${batchId} ${place}`);
  return `resp_${tagOfBatchId(batchId)}${own.slice(0, RANDOM_BYTES * 2)}`;
}

/** The id of the job that an action makes of another one: the same however often it is made. */
export function jobIdOfAction(actionId: string, jobId: string): string {
  const own = hash('sha256', `${actionId} ${jobId}`);
  return `resp_${tagOfJobId(jobId)}${own.slice(0, RANDOM_BYTES * 2)}`;
}

/** The tag inside an id, or null when the text is no job id at all. */
export function tagOfJobId(id: string): string | null {
  return ID_PATTERN.test(id) ? id.slice('resp_'.length, 'resp_'.length + TAG_LENGTH) : null;
}
