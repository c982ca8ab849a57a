/**
 * The upstream's first model, for queues that name none: Ollama, vLLM and llama.cpp serve what was loaded, under a name
 * only they know. Asked once, shared by all calls that wait for it, and asked again after a failure.
 */
import type { Outcome } from '@millrace/core';
import type { OpenAI } from 'openai';
import { BodyText } from './body-text.ts';
import { classifyConnection } from './classify-connection.ts';
import { classifyStatus } from './classify-status.ts';
import { decide, stopped } from './decide.ts';
import { noteOf } from './error-words.ts';
import { type Ending, Exchange } from './exchange.ts';
import { isObject, parseJson } from './json.ts';

/** A list of models comes out of memory; a server that takes longer is not well. */
const MODELS_TIMEOUT_MS = 30_000;

/** The upstream could not say its first model; `outcome` is what that means for the call that asked. */
export class NoModelError extends Error {
  override readonly name = 'NoModelError';
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super('error' in outcome ? outcome.error.message : 'The upstream was closed.');
    this.outcome = outcome;
  }
}

export interface FirstModel {
  /** @throws NoModelError (rejects) */
  ask(): Promise<string>;
  /** The upstream no longer knows it: the next call asks again. */
  forget(): void;
}

export function firstModel(client: OpenAI, idleMs: number): FirstModel {
  let asked: Promise<string> | null = null;
  const forget = (): void => {
    asked = null;
  };
  return {
    ask: () => {
      asked ??= askFor(client, idleMs).catch((error: unknown) => {
        forget();
        throw error;
      });
      return asked;
    },
    forget,
  };
}

async function askFor(client: OpenAI, idleMs: number): Promise<string> {
  const exchange = new Exchange(false, idleMs);
  const ending = await listed(client, exchange);
  const text = exchange.body instanceof BodyText ? exchange.body.text() : '';
  const { status } = exchange;
  // Asking for models is free: whatever went wrong here, nothing can be on the bill.
  const fail = (finding: Parameters<typeof decide>[0]): NoModelError =>
    new NoModelError({ ...decide(finding, false), possiblyBilled: false } as Outcome);
  if (status !== null && (status < 200 || status >= 300)) throw fail(classifyStatus(status, exchange.headers, text));
  if (ending.kind === 'stopped')
    throw fail({ row: 'timeout', message: 'The upstream did not list its models in time.' });
  if (ending.kind === 'broken') {
    const finding = classifyConnection(ending.error, exchange, idleMs);
    throw finding === null ? new NoModelError(stopped('shutdown', false)) : fail(finding);
  }
  const list = parseJson(text);
  const models = isObject(list) ? list['data'] : undefined;
  if (!Array.isArray(models)) {
    const what = noteOf(text, exchange.headers.get('content-type')) ?? 'an empty answer';
    throw fail({ row: 'notJson', message: `The upstream's list of models is none: ${what}` });
  }
  const first: unknown = models.find((model) => isObject(model) && typeof model['id'] === 'string');
  if (isObject(first)) return String(first['id']);
  throw fail({ row: 'noModel', message: 'The upstream lists no model, and the queue names none.' });
}

async function listed(client: OpenAI, exchange: Exchange): Promise<Ending> {
  const timer = setTimeout(() => exchange.stop('timeout'), MODELS_TIMEOUT_MS);
  try {
    await client.models
      .list({ fetchOptions: { client: exchange } })
      .asResponse()
      .catch((error: unknown) => {
        // The exchange knows more than the SDK's error does; only what kept it from starting is news.
        if (!exchange.started) throw error;
      });
    return await exchange.ended;
  } finally {
    clearTimeout(timer);
  }
}
