/** A function that workers run when the model calls it: registered by name in `tools` of millrace.config.ts. */
import { z } from 'zod';
import { checkStrictSchema } from './strict-schema.ts';

/** What a tool is told beside its arguments. */
export interface ToolCall {
  /**
   * The same whenever this very call is made again, after a crash in the middle of it, and no other call's:
   * `<job id>:<turn>:<call id>`, of the second call with the same id in a turn `…#2`.
   */
  idempotencyKey: string;
  jobId: string;
  /** Aborted when the job is cancelled, the worker stops, or the tool's time is over. */
  signal: AbortSignal;
}

export interface ToolDefinition<P extends z.ZodObject> {
  description?: string;
  /** What the model is told of the arguments, and what they are checked by before `run` sees them. */
  parameters: P;
  /** What it returns is told to the model: a string as it is, all else as JSON. What it throws is told too. */
  run(args: z.output<P>, call: ToolCall): unknown;
  /** Default 60. */
  timeoutSeconds?: number;
  /** Of what is told to the model. Default 262,144. */
  maxBytes?: number;
}

export interface Tool {
  readonly description: string | undefined;
  readonly parameters: z.ZodObject;
  /** The same as JSON Schema, and whether strict mode takes it. */
  readonly jsonSchema: Record<string, unknown>;
  readonly strict: boolean;
  readonly run: (args: unknown, call: ToolCall) => unknown;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

const TIMEOUT_SECONDS = 60;
const MAX_BYTES = 256 * 1024;
const made = new WeakSet<object>();

/**
 * Defines a tool.
 * @throws TypeError where `parameters` have no JSON Schema, or a bound is no positive number
 */
export function tool<P extends z.ZodObject>(definition: ToolDefinition<P>): Tool {
  const { timeoutSeconds = TIMEOUT_SECONDS, maxBytes = MAX_BYTES, parameters, run } = definition;
  if (!(parameters instanceof z.ZodObject)) throw new TypeError('tool: parameters must be a z.object({…})');
  if (typeof run !== 'function') throw new TypeError('tool: run must be a function');
  if (!(timeoutSeconds > 0) || !(maxBytes > 0)) throw new TypeError('tool: timeoutSeconds and maxBytes are above 0');
  const { $schema: _dialect, ...jsonSchema } = z.toJSONSchema(parameters, { io: 'input' });
  const closed = { ...jsonSchema, additionalProperties: false };
  const strict = checkStrictSchema(closed) === null;
  const defined: Tool = {
    description: definition.description,
    parameters,
    jsonSchema: strict ? closed : jsonSchema,
    strict,
    run: run as Tool['run'],
    timeoutMs: timeoutSeconds * 1000,
    maxBytes,
  };
  made.add(defined);
  return defined;
}

export function isTool(value: unknown): value is Tool {
  return typeof value === 'object' && value !== null && made.has(value);
}

/** The place of a function that is only named, and is not registered: nobody could say what its arguments are. */
export function unregisteredTool(tools: unknown, registered: Readonly<Record<string, Tool>>): number | null {
  if (!Array.isArray(tools)) return null;
  const place = tools.findIndex(
    (given) => given?.type === 'function' && given.parameters === undefined && !Object.hasOwn(registered, given.name),
  );
  return place === -1 ? null : place;
}

/**
 * The tools of a request, those that are registered and named only (`{"type": "function", "name": "get_weather"}`) with
 * what they are registered with.
 */
export function withRegistered(tools: unknown, registered: Readonly<Record<string, Tool>>): unknown {
  if (!Array.isArray(tools)) return tools;
  return tools.map((given) => {
    if (given?.type !== 'function' || given.parameters != null || !Object.hasOwn(registered, given.name)) return given;
    const { description, jsonSchema, strict } = registered[given.name] as Tool;
    return { ...(description === undefined ? {} : { description }), strict, ...given, parameters: jsonSchema };
  });
}
