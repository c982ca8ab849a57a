/** The answer as the fault that hits the call leaves it. */
import type { ChosenFault } from '../calls/faults.ts';
import { isObject } from '../json.ts';
import { type Answer, type AnswerItem, answerOf, leadOf, withText } from './answer.ts';
import { cutText } from './cut.ts';

const REFUSAL = "I'm sorry, but I can't help with that request.";
const FAILURES: Readonly<Record<string, string>> = {
  server_error: 'The server had an error while processing your request. Sorry about that!',
  rate_limit_exceeded: 'Rate limit reached while generating the response.',
  invalid_prompt: 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.',
};

/** JSON that parses but misses any strict schema: one key too few, one too many. */
function missSchema(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The prompt asked for a text that is no JSON: it misses every schema already.
    return text;
  }
  if (!isObject(value)) return JSON.stringify({ unexpected: true });
  const [, ...rest] = Object.entries(value);
  return JSON.stringify({ ...Object.fromEntries(rest), unexpected: true });
}

function cutInHalf(answer: Answer): Answer {
  const lead = leadOf(answer);
  const first = answer.items[lead.length];
  if (!first) return { ...answer, incomplete: true };
  return answerOf([...lead, withText(first, cutText(first.text, Math.ceil(first.text.length / 2)))], true);
}

/** The answer as the fault leaves it; faults of the connection leave it alone. */
export function bendAnswer(answer: Answer, fault: ChosenFault | undefined): Answer {
  switch (fault?.kind) {
    case 'failed': {
      const code = fault.code ?? 'server_error';
      const message = FAILURES[code] ?? `The response failed: ${code}.`;
      return { items: [], outputTokens: 0, incomplete: false, error: { code, message } };
    }
    case 'refusal':
      return answerOf([...leadOf(answer), { kind: 'refusal', text: REFUSAL }]);
    case 'incomplete':
      return cutInHalf(answer);
    case 'badschema': {
      const lead = leadOf(answer);
      const isJson = (item: AnswerItem) => item.text.startsWith('{') && !answer.incomplete;
      const rest = answer.items.slice(lead.length);
      const bent = rest.map((item) => (isJson(item) ? withText(item, missSchema(item.text)) : item));
      return answerOf([...lead, ...bent], answer.incomplete);
    }
    default:
      return answer;
  }
}
