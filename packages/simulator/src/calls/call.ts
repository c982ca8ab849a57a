/** One call that was admitted: what it asked, what it will be answered, and how far it has come. */
import type { Answer, AnswerItem } from '../answer/answer.ts';
import type { HostedTool } from '../request/prompt-words.ts';
import type { CreateRequest } from '../request/validate.ts';
import type { Api, BilledOutcome, LedgerEntry } from './ledger.ts';

export type CallStatus = 'queued' | 'in_progress' | BilledOutcome;

export interface Call {
  /** `resp_` and 48 hex digits. */
  readonly id: string;
  readonly api: Api;
  readonly request: CreateRequest;
  /** Length of the request's JSON. */
  readonly bodyCharacters: number;
  readonly answer: Answer;
  readonly inputTokens: number;
  /** Of them, those that the prompt cache held. */
  readonly cachedTokens: number;
  readonly createdAtMs: number;
  /** About how many deltas its stream has; undefined: one a word. */
  readonly streamEvents: number | undefined;
  /** The id a retrieve answers with: another's where the `wrongid` fault hit. */
  readonly retrieveId: string;
  /** Nobody finds its response: the `gone` fault. */
  readonly gone: boolean;
  /** Its work never begins: the `queued` fault. */
  readonly stuck: boolean;
  /** How many more retrieves of it fail: the `unreadable` fault. */
  unreadable: number;
  status: CallStatus;
  endedAtMs?: number;
  /** How many of the stream's events may be shown by now; all, once it ended well. */
  visibleEvents: number;
  /** Its line in the ledger, once its work is done. */
  entry?: LedgerEntry;
}

const ENDED: ReadonlySet<CallStatus> = new Set(['completed', 'incomplete', 'failed', 'cancelled']);

export function hasEnded(call: Call): boolean {
  return ENDED.has(call.status);
}

const ID_PREFIXES: Record<AnswerItem['kind'] | HostedTool, string> = {
  text: 'msg_',
  refusal: 'msg_',
  function_call: 'fc_',
  hosted_call: '',
  reasoning: 'rs_',
  web_search: 'ws_',
  file_search: 'fs_',
  code_interpreter: 'ci_',
  image_generation: 'ig_',
  mcp: 'mcp_',
  computer: 'cu_',
};

/** The id of the call's output item `index`, as OpenAI forms them. */
export function itemId(call: Call, index: number): string {
  const item = call.answer.items[index];
  const prefix = ID_PREFIXES[item?.kind === 'hosted_call' ? item.tool : (item?.kind ?? 'text')];
  return `${prefix}${call.id.slice('resp_'.length, -2)}${(index % 256).toString(16).padStart(2, '0')}`;
}
