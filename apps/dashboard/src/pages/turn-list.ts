/**
 * The calls of a job that were not its last: what the model said, and what it was told then. Excerpts, and a bounded
 * number of them: a loop may take many turns, and a tool may tell much.
 */
import type { ToolOutput, Turn } from '@millrace/queue';
import { MESSAGE_CHARACTERS, TOOL_NAME_CHARACTERS, TURN_CHARACTERS, TURN_PARTS_SHOWN, TURNS_SHOWN } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import { formatCount, formatDuration, formatTokens, timeElement } from '../format.ts';
import { type Html, html } from '../html.ts';
import { textBlock } from './text-block.ts';

/** An item of what the model said; it came from outside, so any field may be anything. */
type Item = Record<string, unknown>;

/**
 * The newest turns, in order.
 * @param ended whether the job has: then a tool that told nothing will not
 * @param rawHref where the whole of what is cut can be had
 */
export function turnList(turns: readonly Turn[], ended: boolean, rawHref: string): Html {
  const omitted = Math.max(0, turns.length - TURNS_SHOWN);
  return html`${omitted > 0 && html`<p class="cut">The first ${formatCount(omitted)} are not shown: <a href="${rawHref}">all of it as JSON</a>.</p>`}
<ol class="turns">${turns.slice(omitted).map((turn) => turnItem(turn, ended, rawHref))}</ol>`;
}

function turnItem(turn: Turn, ended: boolean, rawHref: string): Html {
  const items = turn.output.map((item) => (item ?? {}) as Item);
  const said = items.map(textOf).filter((text) => text !== '');
  const calls = items.filter(({ type }) => type === 'function_call');
  const others = items.map(({ type }) => String(type)).filter((type) => !['message', 'function_call'].includes(type));
  return html`<li><p class="turn"><strong>Call ${turn.number}</strong> <span class="muted">answered ${timeElement(turn.at)}${
    turn.usage !== null && html` · ${formatTokens(turn.usage)}`
  }</span></p>
${said.length > 0 && textBlock('The model said', said.join('\n\n'), rawHref, TURN_CHARACTERS)}
${others.length > 0 && html`<p class="muted">Also in the answer: ${oneLine(others.join(', '), MESSAGE_CHARACTERS)}</p>`}
${calls.slice(0, TURN_PARTS_SHOWN).map((call) => toolCall(call, toldTo(turn, call), ended, rawHref))}
${notShown(calls.length, 'tool calls', rawHref)}
${turn.misses !== undefined && missList(turn.misses, rawHref)}</li>`;
}

/** An id that comes from outside may be the name of anything. */
function toldTo({ tools }: Turn, { call_id: id }: Item): ToolOutput | undefined {
  return Object.hasOwn(tools, String(id)) ? tools[String(id)] : undefined;
}

/** The text of a message; of a refusal, its words. */
function textOf({ type, content }: Item): string {
  if (type !== 'message' || !Array.isArray(content)) return '';
  const texts = content.map((part: Item | null) => part?.['text'] ?? part?.['refusal']);
  return texts.filter((text) => typeof text === 'string').join('\n\n');
}

function toolCall(call: Item, told: ToolOutput | undefined, ended: boolean, rawHref: string): Html {
  return html`<div class="tool"><p><code>${oneLine(String(call['name']), TOOL_NAME_CHARACTERS)}</code> ${toolState(told, ended)}</p>
${textBlock('Arguments', String(call['arguments'] ?? ''), rawHref, TURN_CHARACTERS)}
${told !== undefined && textBlock('Output', String(told.output), rawHref, TURN_CHARACTERS)}</div>`;
}

function toolState(told: ToolOutput | undefined, ended: boolean): Html {
  if (told === undefined) {
    return ended ? html`<span class="badge">told nothing</span>` : html`<span class="badge active">running</span>`;
  }
  const badge = told.failed ? html`<span class="badge bad">failed</span>` : html`<span class="badge good">done</span>`;
  return html`${badge} <span class="muted">${formatDuration(told.ms)}</span>`;
}

function missList(misses: NonNullable<Turn['misses']>, rawHref: string): Html {
  const lines = misses
    .slice(0, TURN_PARTS_SHOWN)
    .map(
      ({ path, problem }) =>
        html`<li><code>${path === '' ? 'the whole' : oneLine(String(path), MESSAGE_CHARACTERS)}</code> <bdi>${oneLine(String(problem), MESSAGE_CHARACTERS)}</bdi></li>`,
    );
  return html`<div class="tool"><p><span class="badge warn">missed its schema</span> <span class="muted">and was told so</span></p>
<ul class="misses">${lines}</ul>${notShown(misses.length, 'misses', rawHref)}</div>`;
}

function notShown(count: number, what: string, rawHref: string): Html | null {
  if (count <= TURN_PARTS_SHOWN) return null;
  return html`<p class="cut">${formatCount(count - TURN_PARTS_SHOWN)} more ${what} are not shown: <a href="${rawHref}">all of it as JSON</a>.</p>`;
}
