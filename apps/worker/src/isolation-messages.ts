/** What a worker and the process in which it isolates a suspect say to each other. All of it passes as JSON. */
import type { AuditEntry, Outcome, QueueConfig, Reattachable, ToolCall, UpstreamApi } from '@millrace/core';
import type { Begun, ToolOutput, Turn } from '@millrace/queue';
import type { AbortReason, BackgroundKnown, RateLimitGauges } from '@millrace/upstream';
import type { FunctionCall } from './turns/next-input.ts';

export type ToIsolated =
  | {
      kind: 'run';
      id: string;
      queue: string;
      settings: QueueConfig;
      begun: Begun;
      api: UpstreamApi;
      turns: readonly Turn[];
      background: BackgroundKnown;
    }
  | { kind: 'tool'; call: FunctionCall; told: Omit<ToolCall, 'signal'> }
  /** Of all that is asked of it at the time. */
  | { kind: 'abort'; reason: AbortReason };

export type FromIsolated =
  /** It has read its configuration: an end before this says nothing about a job. */
  | { kind: 'ready' }
  | { kind: 'checkpoint'; response: Reattachable }
  | { kind: 'audit'; entry: AuditEntry }
  | { kind: 'told'; gauges: RateLimitGauges }
  | { kind: 'event'; type: string; data: string }
  | { kind: 'outcome'; outcome: Outcome }
  /** What a tool said, by the call's idempotency key; null: it was aborted. */
  | { kind: 'said'; key: string; output: ToolOutput | null }
  | { kind: 'tool_fault'; key: string; message: string }
  /** The attempt threw: a fault of ours. */
  | { kind: 'fault'; message: string };
