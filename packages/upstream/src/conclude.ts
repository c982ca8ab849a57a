/** An exchange that is over becomes an Outcome: the order in which its facts are asked is the order they outrank each other. */
import type { Outcome } from '@millrace/core';
import type { AbortKind } from './abort-reason.ts';
import { BodyText } from './body-text.ts';
import type { CallTerms } from './call-terms.ts';
import { classifyConnection } from './classify-connection.ts';
import { classifyBody, classifyStream, type ReadAnswer } from './classify-response.ts';
import { classifyStatus } from './classify-status.ts';
import { decide, type Finding, stopped } from './decide.ts';
import type { Ending, Exchange } from './exchange.ts';
import { callsClient, refusalText } from './output-text.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Checked } from './structured.ts';

/** What an exchange that has ended came to, before it is decided what that means for the job. */
export type Reading = ReadAnswer | { stopped: AbortKind };

/** Reads a plain answer's text. */
type Classify = (text: string, contentType: string | null) => ReadAnswer;

/** The Outcome of a call that was this one exchange. */
export async function conclude(
  exchange: Exchange,
  ending: Ending,
  terms: CallTerms,
  classify?: Classify,
): Promise<Outcome> {
  const reading = readEnding(exchange, ending, terms, classify);
  if ('stopped' in reading) return stopped(reading.stopped, exchange.sent, exchange.upstreamId);
  return 'row' in reading ? decide(reading, exchange.sent) : judge(reading, terms);
}

export function readEnding(
  exchange: Exchange,
  ending: Ending,
  terms: CallTerms,
  classify: Classify = classifyBody,
): Reading {
  // The caller's wish comes first: a cancelled job is cancelled whatever the upstream was about to say.
  if (ending.kind === 'stopped' && ending.by !== 'timeout') return { stopped: ending.by };
  // Then the status: a 429 whose explanation stalls is still a 429.
  const { status, body } = exchange;
  if (status !== null && (status < 200 || status >= 300)) {
    const explanation = body instanceof BodyText ? body.text() : '';
    return classifyStatus(status, exchange.headers, explanation);
  }
  if (ending.kind === 'stopped') return timedOut(terms, exchange.upstreamId);
  if (ending.kind === 'broken') {
    return classifyConnection(ending.error, exchange, terms.idleMs) ?? { stopped: 'shutdown' };
  }
  const read =
    body instanceof BodyText
      ? classify(body.text(), exchange.headers.get('content-type'))
      : classifyStream(body?.result ?? null);
  return 'row' in read ? completedFinding(read, exchange) : read;
}

/** The whole call took too long. */
export function timedOut(terms: CallTerms, upstreamId: string | undefined): Finding {
  return { row: 'timeout', message: `No complete answer within ${terms.timeoutMs / 1000} s.`, upstreamId };
}

/** What headers and stream know of a finding that was made from the body alone. */
function completedFinding(finding: Finding, exchange: Exchange): Finding {
  return {
    ...finding,
    ...(exchange.status === null ? {} : { status: exchange.status }),
    afterMs: retryAfterMs(exchange.headers),
    upstreamId: finding.upstreamId ?? exchange.upstreamId,
  };
}

/** The Outcome of an answer that was read whole. */
export async function judge(read: Exclude<ReadAnswer, Finding>, terms: CallTerms): Promise<Outcome> {
  const { answer, incomplete } = read;
  const tried = { upstreamId: answer.response.id, usage: answer.usage };
  if (incomplete !== null) return { kind: 'incomplete', answer, reason: incomplete, ...tried };
  const refusal = refusalText(answer.response.output);
  if (terms.type === 'extract' && refusal !== null) {
    const message = refusal.trim() === '' ? 'The model refused.' : refusal;
    return decide({ row: 'refused', message, answer, upstreamId: tried.upstreamId }, true);
  }
  // A refusal, or a call that its client is to make, is no try at the structure.
  const isFree = terms.type === 'generate' && (refusal !== null || callsClient(answer.response.output));
  if (terms.check === null || isFree) return { kind: 'completed', answer, ...tried };
  const checked = await terms.check(answer.output_text);
  if (checked.fits) return { kind: 'completed', answer: { ...answer, output_parsed: checked.value }, ...tried };
  // As OpenAI does: a generate job that asked for a structure keeps its text, and has no `output_parsed`.
  if (terms.type === 'generate') return { kind: 'completed', answer, misses: checked.misses, ...tried };
  const finding = { row: 'schemaMismatch', message: mismatchMessage(checked), details: checked.misses } as const;
  return decide({ ...finding, answer, upstreamId: tried.upstreamId }, true);
}

function mismatchMessage({ misses }: Extract<Checked, { fits: false }>): string {
  const first = misses[0];
  const where = first?.path ? `${first.path}: ` : '';
  return `The answer does not fit its schema: ${where}${first?.problem ?? 'it does not fit'}`;
}
