/**
 * Calls of tools that OpenAI runs itself, as `[[tool:web_search]]` and a `tool_choice` ask for them: each found in the
 * request's tools and told with a result of its own. A word counts until its call is in the input or the assistant has
 * answered; a `computer_call` is all of its answer, as the client must act on it first.
 */
import { hash } from 'node:crypto';
import { isObject, type JsonObject } from '../json.ts';
import { latestItems, latestTexts } from '../request/input-text.ts';
import { type HostedTool, hostedToolOf, readHostedTools } from '../request/prompt-words.ts';
import type { CreateRequest } from '../request/validate.ts';
import type { HostedCall } from './answer.ts';
import { topicOf } from './prose.ts';

/** One transparent pixel. */
const TINY_PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const ID_HEX_DIGITS = 24;
const MAX_PARTIAL_IMAGES = 3;

/** What a call is made of: the request's tool and words. */
interface Made {
  tool: JsonObject;
  topic: string;
  includes: (what: string) => boolean;
}

function idOf(prefix: string, text: string): string {
  return prefix + hash('sha256', text).slice(0, ID_HEX_DIGITS);
}

/** The page a search about `topic` finds. */
export function pageAbout(topic: string): string {
  return `https://example.com/${encodeURIComponent(topic.toLowerCase().replaceAll(' ', '-'))}`;
}

/** The file a search for `topic` finds. */
export function fileAbout(topic: string): { file_id: string; filename: string } {
  return { file_id: idOf('file-', topic), filename: 'notes.txt' };
}

const MAKE: Record<HostedTool, (made: Made) => Omit<HostedCall, 'kind' | 'tool'>> = {
  web_search: ({ topic, includes }) => {
    const sources = includes('web_search_call.action.sources') && {
      sources: [{ type: 'url', url: pageAbout(topic) }],
    };
    return { text: '', fields: { action: { type: 'search', query: topic, queries: [topic], ...sources } }, result: {} };
  },
  file_search: ({ topic, includes }) => {
    const found = { ...fileAbout(topic), score: 0.9, text: `Notes about ${topic}.`, attributes: {} };
    return {
      text: '',
      fields: { queries: [topic] },
      result: { results: includes('file_search_call.results') ? [found] : null },
    };
  },
  code_interpreter: ({ tool, topic, includes }) => ({
    text: `words = ${JSON.stringify(topic)}.split()\nprint(len(words))`,
    fields: { container_id: typeof tool.container === 'string' ? tool.container : idOf('cntr_', topic) },
    result: {
      outputs: includes('code_interpreter_call.outputs')
        ? [{ type: 'logs', logs: `${topic.split(' ').length}\n` }]
        : null,
    },
  }),
  image_generation: ({ tool, topic }) => ({
    text: '',
    fields: {
      background: tool.background ?? 'opaque',
      output_format: tool.output_format ?? 'png',
      quality: tool.quality ?? 'low',
      size: tool.size ?? '1024x1024',
    },
    result: { result: TINY_PNG, revised_prompt: topic },
    partialImages: Math.min(Number(tool.partial_images) || 0, MAX_PARTIAL_IMAGES),
  }),
  mcp: ({ tool, topic }) => {
    const allowed = Array.isArray(tool.allowed_tools) ? tool.allowed_tools[0] : undefined;
    return {
      text: JSON.stringify({ query: topic }),
      fields: {
        server_label: typeof tool.server_label === 'string' ? tool.server_label : 'server',
        name: typeof allowed === 'string' ? allowed : 'search',
        approval_request_id: null,
        error: null,
      },
      result: { output: `Found something about ${topic}.` },
    };
  },
  computer: () => ({
    text: '',
    fields: { action: { type: 'click', button: 'left', x: 100, y: 200 }, pending_safety_checks: [] },
    result: {},
  }),
};

function wantedTools({ body }: CreateRequest): Set<HostedTool> {
  const wanted = new Set(latestTexts(body).flatMap(readHostedTools));
  const choice = isObject(body.tool_choice) && typeof body.tool_choice.type === 'string' && body.tool_choice.type;
  const chosen = choice ? hostedToolOf(choice) : undefined;
  if (chosen) wanted.add(chosen);
  const here = new Set(latestItems(body).map((item) => isObject(item) && item.type));
  if (here.has('computer_call_output')) wanted.delete('computer');
  for (const tool of wanted) if (here.has(`${tool}_call`)) wanted.delete(tool);
  return wanted;
}

/** The calls the answer to `request` begins with, in the order of its words. */
export function hostedCalls(request: CreateRequest): HostedCall[] {
  const { tools, include, tool_choice: choice } = request.body;
  if (!Array.isArray(tools) || choice === 'none') return [];
  const includes = (what: string) => Array.isArray(include) && include.includes(what);
  return [...wantedTools(request)].flatMap((name) => {
    const tool = tools.find((one) => isObject(one) && typeof one.type === 'string' && hostedToolOf(one.type) === name);
    if (!isObject(tool)) return [];
    const topic = topicOf(request.document || request.text);
    return [{ kind: 'hosted_call', tool: name, ...MAKE[name]({ tool, topic, includes }) }];
  });
}
