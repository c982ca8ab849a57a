/**
 * Every Redis key name is made here, with its type, owner and lifetime. All keys of a queue share the hash tag
 * `{mr:<queue>}`, so every script stays in one Redis Cluster slot and the queues spread over the nodes.
 *
 * | key                              | type   | written by            | holds, and until when                              |
 * |----------------------------------|--------|-----------------------|----------------------------------------------------|
 * | {mr:q}:job:<id>                  | hash   | submit, begin, settle, finish | the job record; until retention removes it  |
 * | {mr:q}:result:<id>               | string | finish                | the answer as JSON; as long as its record          |
 * | {mr:q}:turns:<id>                | hash   | turn                  | the finished calls of a job that takes several, and its tools' outputs; as long as its record |
 * | {mr:q}:dependents:<id>           | set    | depend, share; finish | ids of jobs that wait for this one's end            |
 * | {mr:q}:cache:<hash>              | string | share, finish         | the job whose answer equal requests get; the queue's cache.seconds after its end |
 * | {mr:q}:conversation:<hash>       | zset   | submit; finish        | ids of unfinished jobs of a conversation upstream, by creation (µs): one is called at a time |
 * | {mr:q}:events:<id>               | stream | append, finish        | a streamed answer's events, some an entry; an hour after its end, at most 16 MiB |
 * | {mr:q}:status:<status>           | zset   | submit, begin, settle, finish | ids by creation (µs), one set a status      |
 * | {mr:q}:finished                  | zset   | finish                | ids by end (ms), for retention                     |
 * | {mr:q}:deadlines                 | zset   | submit; finish        | ids of unfinished jobs that have a deadline (ms)   |
 * | {mr:q}:failures                  | list   | finish; remove        | the newest 100 failed ids                          |
 * | {mr:q}:batch:<id>                | hash   | createBatch, turn, finish | a batch's record and counts, by model and error code too; 30 days after its end |
 * | {mr:q}:batches, :batches:open    | zset   | createBatch, turn     | ids of batches by creation (ms), and of those that have not ended |
 * | {mr:q}:shadow                    | hash   | shadow                | what both APIs answered to a job, by its id, as JSON without the request; of the newest 1,000, and no longer than its record |
 * | {mr:q}:shadow:at                 | zset   | shadow                | their ids by when they were compared (ms)          |
 * | {mr:q}:shadow:totals             | hash   | shadow, countDropped  | totals of all comparisons since the beginning      |
 * | {mr:q}:outbox                    | list   | finish                | webhook events not yet handed to their queue, dependents not yet released, flows not yet a step on |
 * | {mr:q}:outbox:aside              | list   | moveAll               | entries of it that could not be done, until they are tried again in two seconds |
 * | {mr:q}:changes                   | stream | submit, finish, remove | which jobs came, ended and were forgotten, for who keeps an index of them; the newest 100,000 entries |
 * | {mr:q}:counters                  | hash   | all scripts           | totals since the beginning, and bytes kept         |
 * | {mr:q}:minute:<minute>           | hash   | submit, begin, settle, finish, turn | what happened in a minute since 1970; two days |
 * | {mr:q}:day:<day>                 | hash   | begin, settle, finish, turn | what calls of a day since 1970 (UTC) used, by what came of them, API key and model; 400 days |
 * | {mr:q}:spent                     | hash   | begin, settle, finish, turn | the same since the beginning; about 2,000 fields |
 * | {mr:q}:workers                   | zset   | beat; bury            | worker processes by their last heartbeat (ms); below zero: dead, for a day |
 * | {mr:q}:beats                     | hash   | beat                  | when a heartbeat was heard last, and since when without a gap |
 * | {mr:q}:clock                     | string | submit                | the last creation stamp (µs): stamps never repeat  |
 * | {mr:q}:<q>:*                     |        | BullMQ                | transport: the queue's lists, sets, locks, events  |
 * | {mrl:limit}:bucket:<group>      | hash   | reserve, release      | what is left of requests and tokens, and what was learned; a week after its last use |
 * | {mrl:limit}:asking:<group>      | zset   | reserve               | processes that wait for room, by priority and since when; an hour after the last |
 * | {mrl:limit}:asked:<group>       | hash   | reserve               | until when each of them is expected, and its tokens |
 * | {mrl:limit}:in-flight           | zset   | reserve, release      | reservations by when they expire (ms)              |
 * | {mrl:limit}:closed              | hash   | close, reserve, release | why a limit is closed until it is resumed, and when a probe is due |
 * | {mrl:limit}:learned             | hash   | workers               | characters per token by model, output tokens by kind of request; at most 2,000 fields |
 * | {mrl:limit}:groups              | set    | workers               | models (or groups) that were ever used; those not used for a week go beyond 500 |
 * | {mrl:limit}:low                 | hash   | watch                 | since when (ms) requests or tokens of a group are nearly used up; a week |
 * | {mrl:limit}:samples             | list   | watch                 | totals of the last minute, every two seconds; two minutes |
 * | {mrb:upstream}:breaker           | hash   | breaker-step          | whether an upstream is called, its latest calls, and when it is probed; a day after its last use |
 * | {mrb:upstream}:turned            | pubsub | breaker-step          | that it opened, recovers or closed                 |
 * | {mr-webhooks}:*                  |        | BullMQ                | deliveries of webhooks: waiting ones, delivered ones for a day, dead ones for 30 days |
 * | mr:webhook-secret                | string | webhookSecret         | the secret webhooks are signed with where none is configured |
 * | {mr-files}:<id>                  | hash   | addFile               | a stored file's record; until it is deleted or expires |
 * | {mr-files}:all, :expire          | zset   | addFile               | ids of files by creation (ms), and by when they expire (ms) |
 * | {mrf:<id>}:flow                  | hash   | createFlow, advanceFlow | a flow: its definition, and how far each step is; 30 days after its end |
 * | {mrf:<id>}:open:<step>           | set    | advanceFlow           | ids of the step's jobs that have not ended; with the flow |
 * | mr:flows                         | zset   | createFlow            | ids of flows by creation (ms); for 30 days, at most 10,000 |
 * | mr:flows:open                    | zset   | createFlow, advanceFlow | ids of flows that have not ended, or not told so, by when they last moved or were looked at (ms) |
 * | mr:acts                          | stream | noteAct               | who did what by hand, and who signed in; the newest 10,000 |
 * | mr:signed-out                    | zset   | noteSignedOut         | sessions of the dashboard that were signed out of, by when they would have ended (ms) |
 * | {mr-actions}:<id>                | hash   | createAction, note-page, turn-action | what is done to many jobs at once, and how far it is; for 30 days |
 * | {mr-actions}:<id>:pages          | list   | createAction          | the ids of those jobs, 100 an entry; until it is completed, or as long as the action |
 * | {mr-actions}:all, :open          | zset   | createAction          | ids of actions by creation (ms), for 30 days, at most 1,000; of those that run, by when they had their last turn |
 * | mr:worker:<worker>               | string | tellWorker            | what a worker process tells of itself, as JSON; a minute after it was told last |
 * | mr:identity                      | string | readIdentity          | which data this is, for who keeps an index of it elsewhere; for ever |
 * | mr:lease:<duty>                  | string | lease                 | who does a periodic duty; expires by itself        |
 * | mr:idem:<hash>                   | string | submit                | the id and body hash a caller's key stands for; 48 h |
 * | mr:sent:<hash>                   | string | noteSent              | the id a request became that an SDK may send again; an hour |
 * | mr:background:<hash>             | string | any worker            | whether an upstream makes responses in the background: yes for a day, no for an hour |
 * | mr:mark                          | string | mark                  | when the disk was last waited for; one small value |
 * | mr:told:<id>                     | pubsub | append, finish        | that there is more to read of a job                |
 * | mr:cancel                        | pubsub | cancel, finish        | ids of jobs whose running attempt is needless now  |
 */

import { createHash } from 'node:crypto';

/** BullMQ's `prefix` for a queue; its job entries are `<prefix>:<queue>:<id>`, their locks that and `:lock`. */
export function bullPrefix(queue: string): string {
  return `{mr:${queue}}`;
}

export interface QueueKeys {
  job(id: string): string;
  result(id: string): string;
  events(id: string): string;
  turns(id: string): string;
  dependents(id: string): string;
  cache(hash: string): string;
  conversation(hash: string): string;
  outbox: string;
  outboxAside: string;
  shadow: string;
  shadowAt: string;
  shadowTotals: string;
  batch(id: string): string;
  batches: string;
  openBatches: string;
  status(status: string): string;
  finished: string;
  deadlines: string;
  failures: string;
  changes: string;
  counters: string;
  minute(at: number): string;
  day(at: number): string;
  spent: string;
  clock: string;
  workers: string;
  beats: string;
}

/** The keys of one queue. */
export function queueKeys(queue: string): QueueKeys {
  const prefix = bullPrefix(queue);
  return {
    job: (id) => `${prefix}:job:${id}`,
    result: (id) => `${prefix}:result:${id}`,
    events: (id) => `${prefix}:events:${id}`,
    turns: (id) => `${prefix}:turns:${id}`,
    dependents: (id) => `${prefix}:dependents:${id}`,
    cache: (hash) => `${prefix}:cache:${hash}`,
    conversation: (hash) => `${prefix}:conversation:${hash}`,
    status: (status) => `${prefix}:status:${status}`,
    outbox: `${prefix}:outbox`,
    outboxAside: `${prefix}:outbox:aside`,
    shadow: `${prefix}:shadow`,
    shadowAt: `${prefix}:shadow:at`,
    shadowTotals: `${prefix}:shadow:totals`,
    batch: (id) => `${prefix}:batch:${id}`,
    batches: `${prefix}:batches`,
    openBatches: `${prefix}:batches:open`,
    finished: `${prefix}:finished`,
    deadlines: `${prefix}:deadlines`,
    failures: `${prefix}:failures`,
    changes: `${prefix}:changes`,
    counters: `${prefix}:counters`,
    minute: (at) => `${prefix}:minute:${at}`,
    day: (at) => `${prefix}:day:${at}`,
    spent: `${prefix}:spent`,
    clock: `${prefix}:clock`,
    workers: `${prefix}:workers`,
    beats: `${prefix}:beats`,
  };
}

export interface LimitKeys {
  bucket: string;
  asking: string;
  asked: string;
  inFlight: string;
  closed: string;
  learned: string;
  groups: string;
  low: string;
  samples: string;
}

/** The keys of one limit; requests and tokens are counted by group: a model, or the models that are counted together. */
export function limitKeys(limit: string, group: string): LimitKeys {
  const prefix = `{mrl:${limit}}`;
  return {
    bucket: `${prefix}:bucket:${group}`,
    asking: `${prefix}:asking:${group}`,
    asked: `${prefix}:asked:${group}`,
    inFlight: `${prefix}:in-flight`,
    closed: `${prefix}:closed`,
    learned: `${prefix}:learned`,
    groups: `${prefix}:groups`,
    low: `${prefix}:low`,
    samples: `${prefix}:samples`,
  };
}

export interface BreakerKeys {
  breaker: string;
  /** A channel. */
  turned: string;
}

/** What is shared of one upstream's circuit breaker. */
export function breakerKeys(upstream: string): BreakerKeys {
  const prefix = `{mrb:${upstream}}`;
  return { breaker: `${prefix}:breaker`, turned: `${prefix}:turned` };
}

/** What is kept of a flow. */
export function flowKeys(id: string): { flow: string; open(step: string): string } {
  const prefix = `{mrf:${id}}`;
  return { flow: `${prefix}:flow`, open: (step) => `${prefix}:open:${step}` };
}

export const FLOWS_KEY = 'mr:flows';
export const OPEN_FLOWS_KEY = 'mr:flows:open';

/** Who did what. */
export const ACTS_KEY = 'mr:acts';

/** Sessions that were ended before their time. */
export const SIGNED_OUT_KEY = 'mr:signed-out';

const ACTIONS = '{mr-actions}';
/** Ids of actions by their creation, and of those that run. */
export const ACTIONS_KEY = `${ACTIONS}:all`;
export const OPEN_ACTIONS_KEY = `${ACTIONS}:open`;

/** What is kept of an action on many jobs. */
export function actionKeys(id: string): { action: string; pages: string } {
  return { action: `${ACTIONS}:${id}`, pages: `${ACTIONS}:${id}:pages` };
}

/** What a worker process tells of itself. */
export function workerKey(worker: string): string {
  return `mr:worker:${worker}`;
}
/** Which data this is. */
export const IDENTITY_KEY = 'mr:identity';

/** Who does a periodic duty. */
export function leaseKey(duty: string): string {
  return `mr:lease:${duty}`;
}

/** What a caller's idempotency key stands for. Hashed: callers choose keys of any bytes. */
export function idempotencyKey(caller: string, key: string): string {
  return `mr:idem:${createHash('sha256').update(`${caller}\0${key}`).digest('hex')}`;
}

/** BullMQ's `prefix` for the deliveries of webhooks. */
export const WEBHOOKS_PREFIX = '{mr-webhooks}';
export const WEBHOOK_SECRET_KEY = 'mr:webhook-secret';

/** A stored file's record. */
export function fileKey(id: string): string {
  return `${FILES}:${id}`;
}

const FILES = '{mr-files}';
/** Ids of files by their creation, and of those that expire by when. */
export const FILES_KEY = `${FILES}:all`;
export const FILES_EXPIRE_KEY = `${FILES}:expire`;

/** What a request became that an SDK may send again by itself. */
export function resendKey(caller: string, fingerprint: string): string {
  return `mr:sent:${createHash('sha256').update(`${caller}\0${fingerprint}`).digest('hex')}`;
}

/** What is known of an upstream's background mode. Hashed: an address may carry a secret. */
export function backgroundKey(baseURL: string): string {
  return `mr:background:${createHash('sha256').update(baseURL).digest('hex')}`;
}

/** Written by whoever waits for the disk, so that there is something of its own to wait for. */
export const MARK_KEY = 'mr:mark';

/** The channel on which the id of a job reaches the worker that runs it in vain: it was cancelled, or is answered. */
export const CANCEL_CHANNEL = 'mr:cancel';

/** The channel on which those who wait for a job, or read along, hear that it has come further. */
export function toldChannel(id: string): string {
  return `${TOLD}${id}`;
}

const TOLD = 'mr:told:';

/** The job a message on such a channel is about. */
export function jobOfChannel(channel: string): string {
  return channel.slice(TOLD.length);
}
