/**
 * What follows from an answer that calls tools: they are run, and each output is noted before the next call. What is
 * noted is not done again.
 */
import type { Answer, Log, Outcome, ResponsesBody, UpstreamApi } from '@millrace/core';
import { type Store, type StoreQueue, type ToolOutput, type Turn, writeToolOutput } from '@millrace/queue';
import { untilWritten } from '../until-written.ts';
import { callsMade, callsOf, type FunctionCall, mostCalls, saidTo } from './next-input.ts';
import { notRun, runRegistered, type ToolRun } from './run-tool.ts';

export interface TurnTerms {
  store: Store;
  queue: StoreQueue;
  log: Log;
  id: string;
  epoch: number;
  signal: AbortSignal;
  /** Runs a tool: here, or where suspects run. */
  tool: ToolRun;
  /** As it was submitted. */
  body: ResponsesBody;
}

/**
 * The calls that this answer makes of registered tools; null where it is for the client, or calls nothing.
 * @param turns those before it
 */
export function toolCalls(
  outcome: Outcome,
  { store, body }: Pick<TurnTerms, 'store' | 'body'>,
  turns: readonly Turn[],
): FunctionCall[] | null {
  if (outcome.kind !== 'completed') return null;
  const calls = callsOf(outcome.answer.response.output);
  const { tools } = store.config;
  // One that we do not know is the client's to make, and a model goes on only when all are made.
  if (calls.length === 0 || calls.some(({ name }) => !Object.hasOwn(tools, name))) return null;
  if (body.tool_choice === 'none') return null;
  const made = callsMade(turns);
  // It was told to answer (`tool_choice: "none"`), and will not: without this there would be no end to it.
  return made > 0 && made >= mostCalls(body) ? null : calls;
}

/** The turn that an answer is. */
export function turnOf(turns: readonly Turn[], answer: Answer, api: UpstreamApi): Turn {
  return {
    number: turns.length + 1,
    at: Date.now(),
    upstream_id: answer.response.id,
    api,
    usage: answer.usage,
    output: answer.response.output ?? [],
    tools: {},
  };
}

/** All its tools have said something. */
export function isDone(turn: Turn): boolean {
  return callsOf(turn.output).every((call) => saidTo(call, turn) !== undefined);
}

/**
 * Runs the tools of a turn that have not said anything yet, side by side unless the request forbids it.
 * @returns false when the job is not this attempt's any more, or its signal was aborted: nothing follows then
 */
export async function runTools(terms: TurnTerms, turns: readonly Turn[], turn: Turn): Promise<boolean> {
  const { store, queue, log, id, epoch, signal, body, tool } = terms;
  const calls = callsOf(turn.output);
  const before = callsMade(turns.filter((one) => one !== turn));
  const allowed = new Set(calls.slice(0, Math.max(0, mostCalls(body) - before)).map(({ key }) => key));
  const said = async (call: FunctionCall): Promise<ToolOutput | null> => {
    if (!allowed.has(call.key)) return notRun(`max_tool_calls (${mostCalls(body)}) is reached`);
    // Some servers number their calls anew each turn.
    const idempotencyKey = `${id}:${turn.number}:${call.key}`;
    return runRegistered(store.config.tools, call, { idempotencyKey, jobId: id, signal }, tool);
  };
  const run = async (call: FunctionCall): Promise<boolean> => {
    if (saidTo(call, turn) !== undefined) return true;
    const output = await said(call);
    if (output === null) return false;
    // Named as it is configured: a call of any other name runs nothing.
    if (output.failed && Object.hasOwn(store.config.tools, call.name)) {
      log.warn({ job_id: id, queue: queue.name }, `The tool '${call.name}' failed; the model is told so`);
    }
    const { number } = turn;
    // A tool that has run is not run again because Redis is full for the moment.
    const noted = { number, callKey: call.key, output };
    const reply = await untilWritten(log, () => writeToolOutput(store, queue, id, epoch, noted));
    turn.tools = { ...turn.tools, [call.key]: output };
    return reply === 'written';
  };
  if (body.parallel_tool_calls === false) {
    for (const call of calls) if (!(await run(call))) return false;
    return true;
  }
  return (await Promise.all(calls.map(run))).every((done) => done);
}
