/** The vocabulary: job, outcome, errors, configuration, log. No Redis, no OpenAI, no HTTP. */
export { ANYBODY, keyFinder, requireOperator } from './access.ts';
export { type Audit, type AuditEntry, openAudit } from './audit.ts';
export { backoffMs } from './backoff.ts';
export {
  BATCH_ENDPOINTS,
  type BatchEndpoint,
  type BatchLine,
  parseBatchLine,
  readCheckedLine,
  windowSeconds,
} from './batch-line.ts';
export { cacheKeyOf } from './cache-key.ts';
export { canonical } from './canonical.ts';
export { type Cause, causeOf } from './cause.ts';
export type { ChatCompletion, ChatCompletionChunk } from './chat-completions/chat-completion.ts';
export { type ChatAnswer, type ChatAnswerHead, chatCompletionOf } from './chat-completions/chat-completion-of.ts';
export { ChatRequest } from './chat-completions/chat-request.ts';
export type { ChatRequestBody } from './chat-completions/chat-request-body.ts';
export { type ConvertedToChat, chatRequestOf } from './chat-completions/chat-request-of.ts';
export {
  type ChatStream,
  type ChatStreamHead,
  openChatStream,
  type ResponsesEvent,
} from './chat-completions/open-chat-stream.ts';
export { responseOfChat } from './chat-completions/response-of-chat.ts';
export {
  type ConvertChatOptions,
  type ConvertedChatRequest,
  responsesRequestOf,
} from './chat-completions/responses-request-of.ts';
export { type Config, findConfigFile, loadConfig, resolveConfig } from './config.ts';
export {
  type ConfigInput,
  defineConfig,
  EVENT_TYPES,
  type EventType,
  type FilesConfig,
  type HistoryBounds,
  type LimitConfig,
  type ModelPrice,
  type PassThroughConfig,
  type QueueConfig,
  type UpstreamConfig,
  type WebhooksConfig,
} from './config-schema.ts';
export { type ApiKey, type Environment, type Role, readEnvironment } from './environment.ts';
export * from './errors.ts';
export { extractRequest, schemaOf } from './extract-request.ts';
export * from './flow.ts';
export { FlowRequest, MAX_ITEMS, parseFlow } from './flow-request.ts';
export { fillTemplates, TemplateError, templatesIn, valueAt } from './flow-template.ts';
export { parseGuardedJson } from './guarded-json.ts';
export { conversationOf, inputItemsOf, isItemReference, retoldItem } from './input-items.ts';
export * from './job.ts';
export { jobIdOfLine, newBatchId, newJobId, queueTag, tagOfBatchId, tagOfJobId } from './job-id.ts';
export { ExtractJob, GenerateJob, type JobRequest, parseJobRequest } from './job-request.ts';
export { createLog, type Log } from './log.ts';
export { manyZod, recordsOf } from './many-records.ts';
export type { NamedSchema } from './named-schema.ts';
export { checkedKey, extraFieldsFor, jobOfRequest, jobOfResponse, numberHeader } from './new-job.ts';
export type * from './outcome.ts';
export { eventsOfItem } from './output-item-events.ts';
export { isCacheable, promptCacheKey, promptPrefix } from './prompt-cache-key.ts';
export { checkWebhookUrl, isCallable } from './public-address.ts';
export { type Line, readLines } from './read-lines.ts';
export { readableCharacters } from './readable-characters.ts';
export { historyOf, refuseRemembered } from './refuse-remembered.ts';
export { eventsOfResponse } from './response-events.ts';
export { parseResponsesRequest, ResponsesRequest } from './responses-request.ts';
export { parseMetadata } from './responses-request-metadata.ts';
export { runRole } from './run-role.ts';
export { checkStrictSchema, SCHEMA_NAME_PATTERN } from './strict-schema.ts';
export { asUntold, toldOutput } from './told-output.ts';
export { isTool, type Tool, type ToolCall, type ToolDefinition, tool, withRegistered } from './tool.ts';
export { totalUsage } from './total-usage.ts';
export { watchConfig } from './watch-config.ts';
