/**
 * What a call came to. An Outcome says everything the worker needs to choose the queue verb; nothing else is asked.
 */

/** Tokens of one call, as the upstream counted them. */
export interface Usage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

/** The result of a job that was answered: the upstream's Response object (ids still its own), and what it parses to. */
export interface Answer {
  /** The Response object as the upstream sent it, or as made of its chat completion (then its id is that one’s). */
  response: ResponseObject;
  output_text: string;
  /** The value of a structured answer that passed its schema; absent for free text. */
  output_parsed?: unknown;
  usage: Usage | null;
}

/** The part of OpenAI's Response object that Millrace reads; every other field passes through untouched. */
export interface ResponseObject {
  id: string;
  object: 'response';
  status?: string;
  model?: string;
  output?: unknown[];
  error?: { code?: string; message?: string } | null;
  incomplete_details?: { reason?: string } | null;
  [field: string]: unknown;
}

/** One way in which a structured answer misses its schema: place (dotted, '' for the root) and problem. */
export interface Miss {
  path: string;
  problem: string;
}

/** Why a job ended badly, whole: `code` may be the upstream's own. */
export interface JobError {
  code: string;
  message: string;
  param?: string | null;
  /** HTTP status of the upstream's answer, where there was one. */
  upstream_status?: number;
  /** Place and problem of each miss of a structured answer. */
  details?: unknown;
}

/** How one attempt ended, for its record, the metrics and the backoff. The reasons are named in the classify table. */
export type AttemptReason =
  | 'rate_limited'
  | 'insufficient_quota'
  | 'request_timeout'
  | 'conflict'
  | 'upstream_error'
  | 'connection'
  | 'timeout'
  | 'stalled'
  | 'malformed'
  | 'cut_stream'
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'unprocessable'
  | 'refused'
  | 'schema_mismatch'
  | 'response_failed'
  | 'response_rate_limited'
  | 'response_cancelled'
  | 'response_gone'
  | 'shutdown'
  | 'lost'
  | 'crashed'
  | 'cancelled'
  | 'deadline_exceeded'
  | 'internal';

/** What is common to every Outcome of a call that was tried. */
interface Tried {
  /** The upstream's response id, where one was seen. */
  upstreamId?: string;
  /** What the upstream counted for this call, where it said so. */
  usage?: Usage | null;
}

/** A response that goes on upstream though nobody reads it any more: what it takes to carry on with it. */
export interface Reattachable {
  /** The upstream's id of the response. */
  upstreamId: string;
  /** Sequence number of the last stream event that was read; null where none was. */
  startingAfter: number | null;
}

export type Outcome =
  /** `misses`: its text misses the schema it was asked for, which is its producer's affair. */
  | ({ kind: 'completed'; answer: Answer; misses?: Miss[] } & Tried)
  | ({ kind: 'incomplete'; answer: Answer; reason: string } & Tried)
  | ({ kind: 'failed'; reason: AttemptReason; error: JobError; answer?: Answer; possiblyBilled: boolean } & Tried)
  | ({
      kind: 'retry';
      reason: AttemptReason;
      error: JobError;
      /** The least wait the upstream asked for (0: none asked); backoff may make it longer, never shorter. */
      afterMs: number;
      countsAsAttempt: boolean;
      possiblyBilled: boolean;
      /** What was said, where it was read whole and is no use as it is. */
      answer?: Answer;
      /**
       * To be re-attached instead of called again. `possiblyBilled` is false with it because nothing is lost yet:
       * whoever gives the response up after all marks it.
       */
      reattach?: Reattachable;
    } & Tried)
  | ({ kind: 'cancelled'; possiblyBilled: boolean } & Tried)
  /**
   * We stopped it ourselves (shutdown, lost lock), or it killed the process it was isolated in: no attempt is used up.
   * `reattach` is as in a retry.
   */
  | ({
      kind: 'interrupted';
      reason: 'shutdown' | 'lost' | 'crashed';
      possiblyBilled: boolean;
      reattach?: Reattachable;
    } & Tried);
