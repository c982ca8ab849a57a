/**
 * The process in which a suspect runs: one attempt at a time, with nothing beside it. It touches neither Redis nor BullMQ,
 * and ends when its worker does.
 */
import { createLog, loadConfig, readEnvironment, runRole } from '@millrace/core';
import { openUpstream, type RateLimitGauges, type Upstream } from '@millrace/upstream';
import type { FromIsolated, ToIsolated } from './isolation-messages.ts';
import { attemptRun } from './run-attempt.ts';
import { runRegistered } from './turns/run-tool.ts';

runRole(async () => {
  // Who is signalled is the worker: it tells what becomes of the attempt, and hangs up in the end.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit(0));
  const tell = (message: FromIsolated): void => {
    process.send?.(message);
  };

  const environment = readEnvironment();
  const log = createLog('worker', environment.logLevel);
  const config = await loadConfig(environment);
  const upstreams = new Map<string, Upstream>();
  for (const [name, settings] of Object.entries(config.upstreams)) {
    const onFault = (error: unknown): void => log.error({ err: error }, 'A call ended by a fault of ours');
    upstreams.set(name, openUpstream(settings, { onFault }));
  }
  const run = attemptRun(config, upstreams, {
    // Two processes must not write, and rotate, one file.
    write: (entry) => tell({ kind: 'audit', entry }),
    close: async () => undefined,
  });

  let controller = new AbortController();
  const attempt = async ({ background, ...input }: Extract<ToIsolated, { kind: 'run' }>): Promise<void> => {
    controller = new AbortController();
    upstreams.get(input.settings.upstream)?.adoptBackground(background);
    try {
      const checkpoint = async (response: Parameters<Parameters<typeof run>[0]['checkpoint']>[0]): Promise<void> =>
        tell({ kind: 'checkpoint', response });
      const told = (gauges: RateLimitGauges): void => tell({ kind: 'told', gauges });
      const onEvent = (type: string, data: string): void => tell({ kind: 'event', type, data });
      const wanted = input.begun.stream ? { onEvent } : {};
      tell({ kind: 'outcome', outcome: await run({ ...input, controller, checkpoint, told, ...wanted }) });
    } catch (error) {
      tell({ kind: 'fault', message: error instanceof Error ? error.message : String(error) });
    }
  };
  const tool = async ({ call, told }: Extract<ToIsolated, { kind: 'tool' }>): Promise<void> => {
    if (controller.signal.aborted) controller = new AbortController();
    const { idempotencyKey: key } = told;
    try {
      const output = await runRegistered(config.tools, call, { ...told, signal: controller.signal });
      tell({ kind: 'said', key, output });
    } catch (error) {
      tell({ kind: 'tool_fault', key, message: error instanceof Error ? error.message : String(error) });
    }
  };
  process.on('message', (message: ToIsolated) => {
    if (message.kind === 'abort') controller.abort(message.reason);
    else if (message.kind === 'tool') void tool(message);
    else void attempt(message);
  });
  tell({ kind: 'ready' });
});
