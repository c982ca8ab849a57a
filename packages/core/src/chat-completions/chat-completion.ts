/** Chat Completions' answers, plain and streamed, as far as a Responses answer fills them. The SDK's types, in part. */

export interface TokenLogprob {
  token: string;
  /** UTF-8; null where the upstream did not say. */
  bytes: number[] | null;
  logprob: number;
  top_logprobs: { token: string; bytes: number[] | null; logprob: number }[];
}

export interface Logprobs {
  content: TokenLogprob[] | null;
  refusal: null;
}

export interface UrlCitation {
  type: 'url_citation';
  /** Indices count characters of the message's `content`. */
  url_citation: { start_index: number; end_index: number; title: string; url: string };
}

export type ToolCall =
  | { id: string; type: 'function'; function: { name: string; arguments: string } }
  | { id: string; type: 'custom'; custom: { name: string; input: string } };

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';

export type ServiceTier = 'auto' | 'default' | 'flex' | 'scale' | 'priority' | 'fast';

export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number; cache_write_tokens?: number };
  completion_tokens_details: { reasoning_tokens: number };
}

interface ModerationResult {
  categories: Record<string, boolean>;
  category_applied_input_types: Record<string, ('text' | 'image')[]>;
  category_scores: Record<string, number>;
  flagged: boolean;
  model: string;
  type: 'moderation_result';
}

export type ModerationVerdict =
  | { type: 'moderation_results'; model: string; results: ModerationResult[] }
  | { type: 'error'; code: string; message: string };

export interface Moderation {
  input: ModerationVerdict;
  output: ModerationVerdict;
}

export interface AssistantMessage {
  role: 'assistant';
  content: string | null;
  refusal: string | null;
  annotations: UrlCitation[];
  tool_calls?: ToolCall[];
  function_call?: { name: string; arguments: string };
}

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: { index: number; message: AssistantMessage; logprobs: Logprobs | null; finish_reason: FinishReason }[];
  usage?: CompletionUsage;
  service_tier?: ServiceTier;
  moderation?: Moderation;
}

export interface ToolCallDelta {
  /** Counts the calls of the message, from 0. */
  index: number;
  id?: string;
  type?: 'function' | 'custom';
  function?: { name?: string; arguments?: string };
  custom?: { name?: string; input?: string };
}

export interface MessageDelta {
  role?: 'assistant';
  content?: string | null;
  refusal?: string | null;
  tool_calls?: ToolCallDelta[];
  function_call?: { name?: string; arguments?: string };
  annotations?: UrlCitation[];
}

export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: { index: number; delta: MessageDelta; logprobs: Logprobs | null; finish_reason: FinishReason | null }[];
  /** Null on all but the last chunk; absent where usage was not asked for. */
  usage?: CompletionUsage | null;
  service_tier?: ServiceTier;
  moderation?: Moderation;
}
