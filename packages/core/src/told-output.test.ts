import { expect, it } from 'vitest';
import { asUntold, toldOutput } from './told-output.ts';

const call = (id: string, name = 'f') => ({
  id: `fc_${id}`,
  type: 'function_call',
  call_id: `call_${id}`,
  name,
  arguments: '{}',
});
const said = (id: string, status = 'completed') => ({
  type: 'function_call_output',
  call_id: `call_${id}`,
  output: id,
  status,
});
const message = { id: 'msg_1', type: 'message' };

it('a function that was run here is a call of the server’s, in its place; what it said is in it', () => {
  expect(toldOutput([call('a'), call('b'), said('a'), said('b', 'incomplete'), message])).toEqual([
    expect.objectContaining({ id: 'mcp_mr_call_a', type: 'mcp_call', status: 'completed', output: 'a', error: null }),
    expect.objectContaining({ id: 'mcp_mr_call_b', type: 'mcp_call', status: 'failed', output: null, error: 'b' }),
    message,
  ]);
});

it('a function that is the client’s to call stays as it is', () => {
  const output = [call('a'), message, null, 'odd'];
  expect(toldOutput(output)).toEqual(output);
});

it('given back by a client it is as it was; a mere reference to it is left out', () => {
  const [told] = toldOutput([call('a'), said('a')]);
  const others = [
    { type: 'item_reference', id: 'mcp_1' },
    { id: 'mcp_1', type: 'mcp_call', server_label: 'theirs' },
  ];
  expect(asUntold([told, { type: 'item_reference', id: 'mcp_mr_call_a' }, ...others, 'odd'])).toEqual([
    { type: 'function_call', call_id: 'call_a', name: 'f', arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_a', output: 'a' },
    ...others,
    'odd',
  ]);
  expect(asUntold('a text')).toBe('a text');
});

it('calls of one id, as servers have them that number anew each turn, have each its own output and id', () => {
  const outputs = [said('0'), { ...said('0'), output: 'second' }];
  expect(toldOutput([call('0'), outputs[0], call('0'), outputs[1], call('0')])).toMatchObject([
    { id: 'mcp_mr_call_0', output: '0' },
    { id: 'mcp_mr_call_0.2', output: 'second' },
    { type: 'function_call', call_id: 'call_0' },
  ]);
});
