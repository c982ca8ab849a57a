/** What a worker and the process in which it isolates a suspect say to each other. All of it passes as JSON. */
import type { AuditEntry, Outcome, QueueConfig, Reattachable, UpstreamApi } from '@millrace/core';
import type { Begun, Turn } from '@millrace/queue';
import type { AbortReason, BackgroundKnown, RateLimitGauges } from '@millrace/upstream';

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
  | { kind: 'abort'; reason: AbortReason };

export type FromIsolated =
  /** It has read its configuration: an end before this says nothing about a job. */
  | { kind: 'ready' }
  | { kind: 'checkpoint'; response: Reattachable }
  | { kind: 'audit'; entry: AuditEntry }
  | { kind: 'told'; gauges: RateLimitGauges }
  | { kind: 'event'; type: string; data: string }
  | { kind: 'outcome'; outcome: Outcome }
  /** The attempt threw: a fault of ours. */
  | { kind: 'fault'; message: string };
