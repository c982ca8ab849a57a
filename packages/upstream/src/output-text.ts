/** The text of a Response, as the SDK's `output_text` has it; and its refusal, which the SDK leaves where it is. */
import { isObject } from './json.ts';

/** All `output_text` parts of all messages, joined without a separator. Source: `addOutputText` of the SDK. */
export function outputText(output: unknown): string {
  return parts(output, 'output_text', 'text').join('');
}

/** What the model said when it refused; null where it did not. */
export function refusalText(output: unknown): string | null {
  const refusals = parts(output, 'refusal', 'refusal');
  return refusals.length === 0 ? null : refusals.join('');
}

/** Items by which the model waits for its client; what it says beside them is not its answer yet. */
const FOR_CLIENT: ReadonlySet<unknown> = new Set([
  ...['function_call', 'custom_tool_call', 'computer_call', 'local_shell_call', 'shell_call', 'apply_patch_call'],
  'mcp_approval_request',
]);

/** True where the model calls something that its client, or a worker, is to run or approve. */
export function callsClient(output: unknown): boolean {
  return Array.isArray(output) && output.some((item) => isObject(item) && FOR_CLIENT.has(item['type']));
}

function parts(output: unknown, type: string, field: string): string[] {
  const found: string[] = [];
  for (const item of Array.isArray(output) ? output : []) {
    if (!isObject(item) || item['type'] !== 'message' || !Array.isArray(item['content'])) continue;
    for (const part of item['content']) {
      const text = isObject(part) && part['type'] === type ? part[field] : undefined;
      if (typeof text === 'string') found.push(text);
    }
  }
  return found;
}
