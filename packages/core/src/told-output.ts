/**
 * The output of a response as its client is told it. A function that a worker has run is a call that was made on the
 * server's side (`mcp_call` of the server `millrace`): told as a `function_call`, clients that know the function would
 * make it once more, and those that do not would look for it in vain.
 */

type Item = Record<string, unknown>;

/** Of the items that only we know. */
const TOLD_ID = 'mcp_mr_';

/** By whom functions of ours are told to be called. */
const TOOL_SERVER = 'millrace';

export function toldOutput(output: readonly unknown[]): unknown[] {
  const outputs = outputsByCall(output);
  if (outputs.size === 0) return [...output];
  const told = new Map<string, number>();
  return output.flatMap((item) => {
    const { type, call_id } = (item ?? {}) as Item;
    if (type === 'function_call_output') return [];
    const said = type === 'function_call' ? outputs.get(String(call_id))?.shift() : undefined;
    if (said === undefined) return [item];
    const nth = (told.get(String(call_id)) ?? 0) + 1;
    told.set(String(call_id), nth);
    return [serverCall(item as Item, said, nth === 1 ? '' : `.${nth}`)];
  });
}

/** In their order: some servers number calls anew each turn. */
function outputsByCall(output: readonly unknown[]): Map<string, Item[]> {
  const outputs = new Map<string, Item[]>();
  for (const item of output) {
    const { type, call_id } = (item ?? {}) as Item;
    if (type !== 'function_call_output' || typeof call_id !== 'string') continue;
    const same = outputs.get(call_id);
    if (same === undefined) outputs.set(call_id, [item as Item]);
    else same.push(item as Item);
  }
  return outputs;
}

/**
 * @param said what the tool said; `incomplete`: it failed, and the model was told so
 * @param nth tells apart calls of one id
 */
function serverCall({ call_id, name, arguments: args }: Item, said: Item, nth: string): Item {
  const failed = said['status'] === 'incomplete';
  return {
    id: `${TOLD_ID}${String(call_id)}${nth}`,
    type: 'mcp_call',
    status: failed ? 'failed' : 'completed',
    approval_request_id: null,
    arguments: args,
    error: failed ? said['output'] : null,
    name,
    output: failed ? null : said['output'],
    server_label: TOOL_SERVER,
  };
}

/**
 * Input items as the upstream is to be given them: what a client was told, and gives back, as it was. A mere reference to
 * such a call says nothing to the upstream, and is left out: the answer that followed it stays.
 */
export function asUntold(input: unknown): unknown {
  if (!Array.isArray(input)) return input;
  return input.flatMap((item) => {
    const { type, id, server_label, name, arguments: args, output, error } = (item ?? {}) as Item;
    if (typeof id !== 'string' || !id.startsWith(TOLD_ID)) return [item];
    if (type === 'item_reference') return [];
    if (type !== 'mcp_call' || server_label !== TOOL_SERVER) return [item];
    const call_id = id.slice(TOLD_ID.length);
    return [
      { type: 'function_call', call_id, name, arguments: args },
      { type: 'function_call_output', call_id, output: output ?? error ?? '' },
    ];
  });
}
