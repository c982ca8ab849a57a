/** What the index holds at most, and how it is fed: so that neither the disk, nor Redis, nor the pages feel it. */

export interface Bounds {
  /** Jobs. */
  jobs: number;
  bytes: number;
  /** Since a job was submitted, ms. */
  ageMs: number;
  /** Of a prompt and of an output each, UTF-16 units: what is beyond is not found. */
  textCharacters: number;
}

export const BOUNDS: Bounds = {
  jobs: 1_000_000,
  bytes: 2 * 1024 ** 3,
  ageMs: 30 * 86_400_000,
  textCharacters: 32 * 1024,
};

/** Of a job's request and of its answer, each: one that is longer is in the index without its words. */
export const READ_BYTES = 16 * 1024 * 1024;
/** Of jobs that are held at once on their way into the index. */
export const BATCH_BYTES = 2 * 1024 * 1024;
/** Jobs that are read and written at once. */
export const BATCH_JOBS = 100;
/** Entries of a queue's changes read at once; one of a bulk submission holds up to 200 ids. */
export const ENTRIES = 100;
/** How long after a round the next one begins, when there was little to do. */
export const IDLE_MS = 500;
/** How long after one that failed: Redis or the disk is away. */
export const TROUBLE_MS = 2000;
/** Processes that may keep an index in one data folder, each a file of its own. */
export const FILES = 4;
/** What names of metadata, models and the like are cut to, characters. */
export const NAME_CHARACTERS = 512;
/** Causes told of at once. */
export const COHORTS_MOST = 200;
