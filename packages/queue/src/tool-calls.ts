/** Calls of tools that the upstream runs itself, and mostly bills: counted by the type of their items. */

/** Those that the client, or a worker, makes. */
const CLIENTS_CALLS: ReadonlySet<string> = new Set([
  ...['function_call', 'custom_tool_call', 'local_shell_call', 'shell_call', 'apply_patch_call'],
]);

/** @param output the items of an answer */
export function hostedCalls(output: readonly unknown[] = []): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of output) {
    const type = String((item as { type?: unknown } | null)?.type);
    if (/^[a-z_]{1,60}_call$/.test(type) && !CLIENTS_CALLS.has(type)) counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}

/** As the scripts take them: '' where there are none. */
export function countsJson(counts: Record<string, number>): string {
  return Object.keys(counts).length === 0 ? '' : JSON.stringify(counts);
}
