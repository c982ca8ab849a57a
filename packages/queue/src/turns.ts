/**
 * What is kept of a job that takes several calls: each answer before anything follows from it, each tool's output as
 * soon as it is there. A crash goes on after the last of them; what was finished is not made, nor paid, again.
 */
import type { ResponseObject, UpstreamApi, Usage } from '@millrace/core';
import type { WriteReply } from './attempt.ts';
import { readJson } from './job-record.ts';
import { runScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';
import { countsJson, hostedCalls } from './tool-calls.ts';

/** One call of a job that was not its last. */
export interface Turn {
  /** From 1. */
  number: number;
  /** When its answer was read, in ms. */
  at: number;
  upstream_id: string;
  /** Chat Completions stores nothing: ids of its items mean nothing upstream. */
  api?: UpstreamApi;
  usage: Usage | null;
  /** What the model said: its items are part of the next call's input. */
  output: NonNullable<ResponseObject['output']>;
  /** Of an answer that missed its schema: place and problem of each miss, as the model was told. */
  misses?: { path: string; problem: string }[];
  /** By call id (the second of the same: `<id>#2`): what the tool said, as the model was told. */
  tools: Record<string, ToolOutput>;
}

export interface ToolOutput {
  output: string;
  /** The tool failed, and the model was told so. */
  failed: boolean;
  ms: number;
}

/** The turns of a job, in order. One round trip. */
export async function readTurns(store: Store, queue: StoreQueue, id: string): Promise<Turn[]> {
  const stored = await store.redis.hgetall(queue.keys.turns(id));
  const toolsOf = new Map<number, [string, ToolOutput][]>();
  for (const [field, value] of Object.entries(stored)) {
    const [, number, callKey] = /^tool:(\d+):(.*)$/s.exec(field) ?? [];
    const output = callKey === undefined ? null : readJson<ToolOutput>(value);
    if (callKey === undefined || output === null) continue;
    const tools = toolsOf.get(Number(number)) ?? [];
    tools.push([callKey, output]);
    toolsOf.set(Number(number), tools);
  }
  const turns: Turn[] = [];
  for (let number = 1; ; number++) {
    const turn = readJson<Omit<Turn, 'number' | 'tools'>>(stored[`turn:${number}`]);
    if (turn === null) return turns;
    turns.push({ ...turn, number, tools: Object.fromEntries(toolsOf.get(number) ?? []) });
  }
}

/** Nothing may follow from the answer before this has replied 'written'. Written twice, it is as the first time. */
export function writeTurn(store: Store, queue: StoreQueue, id: string, epoch: number, turn: Turn): Promise<WriteReply> {
  const { usage, output } = turn;
  const tokens = [usage?.input_tokens, usage?.output_tokens, usage?.input_tokens_details.cached_tokens];
  const counts = [...tokens.map((n) => n ?? 0), countsJson(hostedCalls(output))];
  return write(store, queue, id, [epoch, ...turnArgs(turn), ...counts]);
}

/**
 * Tells that a job which has turns is called once more. Nothing may be sent before this has replied 'written': until then
 * a crash of the attempt has cost no call.
 */
export async function writeCallAgain(
  store: Store,
  { keys }: StoreQueue,
  id: string,
  epoch: number,
): Promise<WriteReply> {
  return (await runScript(store.redis, 'call-again', [keys.job(id)], [epoch])) as WriteReply;
}

/** Field and value that a turn is noted as; what its tools say is noted on its own. */
export function turnArgs({ number, tools: _, ...turn }: Turn): [string, string] {
  return [`turn:${number}`, JSON.stringify(turn)];
}

export function writeToolOutput(
  store: Store,
  queue: StoreQueue,
  id: string,
  epoch: number,
  { number, callKey, output }: { number: number; callKey: string; output: ToolOutput },
): Promise<WriteReply> {
  return write(store, queue, id, [epoch, `tool:${number}:${callKey}`, JSON.stringify(output), 0, 0, 0, '']);
}

async function write(store: Store, { keys }: StoreQueue, id: string, args: (string | number)[]): Promise<WriteReply> {
  const touched = [keys.job(id), keys.turns(id), keys.counters];
  return (await runScript(store.redis, 'turn', touched, args)) as WriteReply;
}
