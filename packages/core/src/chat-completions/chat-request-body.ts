/** The body of POST /chat/completions as far as a Responses request fills it. The SDK's types, in part (a test pins it). */

import type { JsonObject } from '../responses-request-fault.ts';
import type { ServiceTier } from './chat-completion.ts';

export interface TextPart {
  type: 'text';
  text: string;
}

export type SentPart =
  | TextPart
  | { type: 'image_url'; image_url: { url: string; detail?: 'auto' | 'low' | 'high' | 'original' } }
  | { type: 'input_audio'; input_audio: { data: string; format: 'wav' | 'mp3' } }
  | { type: 'file'; file: { file_data?: string; file_id?: string; filename?: string } };

export interface FunctionCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

export interface AnsweredMessage {
  role: 'assistant';
  content: string | TextPart[] | null;
  refusal?: string;
  tool_calls?: FunctionCall[];
}

export type ChatMessage =
  | { role: 'system' | 'developer'; content: string | TextPart[] }
  | { role: 'user'; content: string | SentPart[] }
  | AnsweredMessage
  | { role: 'tool'; tool_call_id: string; content: string | TextPart[] };

export interface FunctionTool {
  type: 'function';
  function: { name: string; description?: string; parameters?: JsonObject; strict?: boolean };
}

export type FunctionChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { type: 'function'; function: { name: string } }
  | { type: 'allowed_tools'; allowed_tools: { mode: 'auto' | 'required'; tools: JsonObject[] } };

export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      json_schema: { name: string; description?: string; schema?: JsonObject; strict?: boolean | null };
    };

/** Never streamed: it has no `stream`. Fields that only the upstream knows may stand beside these. */
export interface ChatRequestBody {
  messages: ChatMessage[];
  /** Absent where the Responses request named none. */
  model?: string;
  logprobs?: boolean;
  max_completion_tokens?: number;
  metadata?: Record<string, string>;
  parallel_tool_calls?: boolean;
  prompt_cache_key?: string;
  prompt_cache_retention?: 'in_memory' | '24h';
  reasoning_effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  response_format?: ResponseFormat;
  safety_identifier?: string;
  service_tier?: ServiceTier;
  store?: boolean;
  temperature?: number;
  tool_choice?: FunctionChoice;
  tools?: FunctionTool[];
  top_logprobs?: number;
  top_p?: number;
  user?: string;
  verbosity?: 'low' | 'medium' | 'high';
}
