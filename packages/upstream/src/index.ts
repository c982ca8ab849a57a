/** All that touches the Responses API: one call through the SDK, classified into an Outcome. Knows no queue and no Redis. */
export type {
  Response as OpenAIResponse,
  ResponseCreateParams,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
export { type AbortKind, type AbortReason, abortKind } from './abort-reason.ts';
export type { Started } from './background-response.ts';
export type { BackgroundKnown } from './background-use.ts';
export type { BackgroundListener, CallRequest } from './call.ts';
export type { CancelResult } from './cancel-response.ts';
export { DECISIONS, type Row, type RowName } from './decision-table.ts';
export type { EventListener } from './event-reader.ts';
export { NoModelError } from './first-model.ts';
export { openUpstream, type Upstream, type UpstreamOptions } from './open-upstream.ts';
export { outputText } from './output-text.ts';
export {
  costOf,
  costOfTokens,
  exactUsd,
  findPrice,
  PRICES_DATE,
  PRICES_FROM,
  priceOf,
  savedByCache,
} from './prices.ts';
export { type RateLimitGauge, type RateLimitGauges, rateLimitGauges } from './rate-limit-headers.ts';
export type { ReattachRequest } from './reattach.ts';
export { usageOf } from './usage.ts';
