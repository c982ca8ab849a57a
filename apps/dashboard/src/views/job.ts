/** One job, as its page is told: every text cut to what a page can show, and whole behind /api/jobs/<id>/raw. */
import type { Attempt, JobError, JobStatus, JobType, Miss, Usage } from '@millrace/core';
import type { WaitingFor } from '@millrace/queue';

/** A text, or its beginning. */
export interface CutText {
  text: string;
  /** Characters that were left out. */
  omitted: number;
}

export type Part =
  | { kind: 'text'; text: CutText }
  /** `src`: a data: URI of a raster type, to be shown; `href`: an address elsewhere, never loaded. */
  | { kind: 'image'; src: string | null; href: string | null; about: string }
  | { kind: 'file'; about: string; href: string | null }
  | { kind: 'other'; type: string; json: CutText };

export type ChatItem =
  | { kind: 'message'; role: string; parts: Part[] }
  | { kind: 'call'; name: string; callId: string; arguments: CutText }
  | { kind: 'told'; callId: string; output: CutText }
  | { kind: 'reasoning'; text: CutText }
  | { kind: 'other'; type: string; json: CutText };

export interface Chat {
  items: ChatItem[];
  /** Items in the middle that were left out. */
  omitted: number;
}

export interface AttemptView extends Attempt {
  /** US dollars; null: not known. */
  cost_usd: number | null;
}

export interface TurnView {
  number: number;
  at: number;
  upstream_id: string;
  usage: Usage | null;
  cost_usd: number | null;
  said: SaidView[];
  /** How long the tools ran, side by side, ms. */
  tools_ms: number;
  misses: Miss[];
  /** Items and misses of it that were left out. */
  omitted: number;
}

/** What a model said. */
export interface SaidView {
  item: ChatItem;
  /** What a tool told, of an item that calls one; null: nothing, or not yet. */
  told: { output: CutText; failed: boolean; ms: number } | null;
}

export interface JobPageView {
  id: string;
  type: JobType;
  status: JobStatus;
  queue: string;
  model: string | null;
  priority: number;
  /** All times are milliseconds since 1970. */
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  delayed_until: number | null;
  deadline: number | null;
  metadata: Record<string, string> | null;
  /** The name of the API key that submitted it. */
  key: string | null;
  has_webhook: boolean;
  forget: boolean;
  retry_of: string | null;
  retried_as: string | null;
  answered_by: string | null;
  follows: string | null;
  flow: string | null;
  step: string | null;
  /** The response that its request names as the one before it: the id of a job, unless `ours` is false. */
  goes_on_from: { id: string; ours: boolean } | null;
  /** The conversation upstream that its request names. */
  conversation: string | null;
  batch: { id: string; custom_id: string } | null;
  tool_calls: Record<string, number> | null;
  error: (Omit<JobError, 'message' | 'details'> & { message: CutText; misses: Miss[] }) | null;
  usage: Usage | null;
  cost_usd: number | null;
  waiting_for: WaitingFor | null;
  attempts: AttemptView[];
  attempts_omitted: number;
  turns: TurnView[];
  turns_omitted: number;
  instructions: CutText | null;
  input: Chat;
  schema: { name: string; json: CutText } | null;
  output: OutputView | null;
  /** Where the API listens, for code that is copied. */
  api_port: number;
}

export interface OutputView {
  text: CutText;
  /** Of a structured answer that is small enough for a tree. */
  value: { json: unknown } | null;
  misses: Miss[];
  /** Why it was not checked against its schema; null: it was, or has none. */
  unchecked: string | null;
  incomplete: string | null;
  /** Tool calls and the like that were said besides the text; and how many of them were left out. */
  items: ChatItem[];
  items_omitted: number;
}

/** The topic `job:<id>`. */
export interface JobTopic {
  /** It is not there any more. */
  gone: boolean;
  status: JobStatus | null;
  /** Another one: there is more to read at /api/jobs/<id>. */
  stamp: string;
  waiting_for: WaitingFor | null;
  started_at: number | null;
  begun: number;
}

/** What can be edited of a job for it to be done again. */
export interface EditableView {
  type: JobType;
  model: string | null;
  instructions: string;
  /** null: it is too large to be edited in a page. */
  input: string | null;
  /** The input is JSON, not a text. */
  input_is_json: boolean;
  max_output_tokens: number | null;
  /** A name, or JSON; null: it has none, or one that cannot be edited here. */
  schema: string | null;
}
