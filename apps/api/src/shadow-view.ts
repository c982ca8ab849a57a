/** How the comparison of a queue's two APIs is shown: seconds where the store has milliseconds. */
import type { ShadowPair, ShadowReport, ShadowSide } from '@millrace/queue';

type Side = ShadowReport['sides']['chat'];

/** What `GET /v1/queues/{name}/shadow` answers. */
export function shadowView(queue: string, report: ShadowReport): Record<string, unknown> {
  const { compared, equal, kept, dropped, spent, sides, differences } = report;
  const droppedCount = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  return {
    object: 'shadow_report',
    queue,
    counts: { compared, equal, dropped: droppedCount },
    dropped_because: dropped,
    responses: sideView(sides.responses),
    chat: sideView(sides.chat),
    shadow_tokens: spent,
    kept,
    differences: differences.map(pairView),
  };
}

function sideView({ answered, failed, ms, tokens }: Side): Record<string, unknown> {
  return {
    answered,
    failed,
    seconds: { mean: seconds(ms.mean), p50: seconds(ms.p50), p95: seconds(ms.p95) },
    mean_input_tokens: tokens.input_mean,
    mean_output_tokens: tokens.output_mean,
  };
}

function pairView({ id, at, responses, chat, ...pair }: ShadowPair): Record<string, unknown> {
  return { job_id: id, at: at / 1000, ...pair, responses: answerView(responses), chat: answerView(chat) };
}

function answerView({ ms, ...answer }: ShadowSide): Record<string, unknown> {
  return { ...answer, seconds: ms / 1000 };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
