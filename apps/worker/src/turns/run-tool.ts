/** One call of a registered tool. Whatever the tool does, the model is told in words; nothing is thrown. */
import type { Tool, ToolCall } from '@millrace/core';
import type { ToolOutput } from '@millrace/queue';
import type { FunctionCall } from './next-input.ts';

/** Of what a tool throws, the model is told so much. */
const ERROR_CHARACTERS = 2000;

export type ToolRun = typeof runTool;

/** The process in which a tool ran has died of it, or of another beside it. */
export class ToolCrash extends Error {}

/** What the model is told where nothing is run. */
export function notRun(why: string): ToolOutput {
  return { output: `Error: ${why}`, failed: true, ms: 0 };
}

/** A call of one of these tools, run by `run`. It was registered when the model called it; it need not be any more. */
export async function runRegistered(
  tools: Readonly<Record<string, Tool>>,
  call: FunctionCall,
  told: ToolCall,
  run: ToolRun = runTool,
): Promise<ToolOutput | null> {
  const tool = Object.hasOwn(tools, call.name) ? tools[call.name] : undefined;
  return tool === undefined ? notRun('there is no such tool any more') : run(tool, call, told);
}

/** @returns what the model is told; null when the signal was aborted before the tool had ended: nothing is known then */
export async function runTool(
  tool: Tool,
  call: FunctionCall,
  { signal, ...told }: ToolCall,
): Promise<ToolOutput | null> {
  const began = performance.now();
  const said = await textOf(tool, call, { ...told, signal });
  if (said === null) return null;
  return { ...said, ms: Math.round(performance.now() - began) };
}

type Said = Pick<ToolOutput, 'output' | 'failed'>;

async function textOf(tool: Tool, call: FunctionCall, told: ToolCall): Promise<Said | null> {
  const over = AbortSignal.any([told.signal, AbortSignal.timeout(tool.timeoutMs)]);
  try {
    const args = await within(over, () => argumentsOf(tool, call.arguments));
    if ('fault' in args) return failure(args.fault);
    const value = await within(over, () => tool.run(args.value, { ...told, signal: over }));
    const output = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
    const bytes = Buffer.byteLength(output);
    if (bytes > tool.maxBytes) {
      return failure(`the output has ${bytes} bytes, and at most ${tool.maxBytes} can be told: ask for less`);
    }
    return { output, failed: false };
  } catch (error) {
    if (told.signal.aborted) return null;
    if (over.aborted) return failure(`the tool did not end within ${tool.timeoutMs / 1000} s`);
    return failure(error instanceof Error ? error.message : String(error));
  }
}

/** Ends with the signal, whatever the tool does. */
function within<T>(signal: AbortSignal, run: () => T | PromiseLike<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  else {
    signal.addEventListener('abort', stop, { once: true });
    Promise.resolve()
      .then(run)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop));
  }
  return promise;
}

/** @throws what the tool's own checks throw */
async function argumentsOf(tool: Tool, text: string): Promise<{ value: unknown } | { fault: string }> {
  let value: unknown;
  try {
    value = JSON.parse(text.trim() === '' ? '{}' : text);
  } catch {
    return { fault: 'the arguments are no JSON' };
  }
  const parsed = await tool.parameters.safeParseAsync(value);
  if (parsed.success) return { value: parsed.data };
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the arguments'}: ${message}`);
  return { fault: `the arguments do not fit: ${faults.join('; ')}` };
}

function failure(why: string): Said {
  return { output: `Error: ${why.slice(0, ERROR_CHARACTERS)}`, failed: true };
}
