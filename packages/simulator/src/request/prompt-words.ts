/**
 * Words in double brackets by which a prompt steers the simulator:
 * `[[fault:500]]` every call, `[[fault:500 x2]]` the first two calls with this input, with `after=`, `code=`, `ms=` or `times=`;
 * `[[slow:250]]` 250 ms later; `[[call:name]]` calls that function. Faults that are counted come one after the other.
 */
import { type ChosenFault, isFaultKind } from '../calls/faults.ts';
import { badParameter } from './refused.ts';

export interface PromptWords {
  /** The fault the prompt names for this call. */
  fault?: ChosenFault;
  /** Extra latency in milliseconds. */
  slowMs: number;
  /** Functions to call, in order. */
  calls: string[];
}

const ANY_WORD = /\[\[(?:fault|slow|call):[^\]\n]{1,200}\]\]/gi;
const FAULT_WORD = /\[\[fault:([^\]\s]+)([^\]\n]{0,200})\]\]/gi;
const SLOW_WORD = /\[\[slow:(\d{1,7})\]\]/i;
const CALL_WORD = /\[\[call:([^\]\s]{1,64})\]\]/gi;
const NONE: PromptWords = { slowMs: 0, calls: [] };

function readSetting(fault: ChosenFault, word: string): void {
  const [name, value = ''] = word.split('=', 2);
  const amount = Number(value);
  if (name === 'code' && value) fault.code = value;
  else if (name === 'after' && amount >= 0) fault.afterSeconds = amount;
  else if (name === 'ms' && amount >= 0) fault.ms = amount;
  else if (name === 'times' && amount >= 1) fault.times = amount;
  else throw badParameter(`Unknown fault setting '${word}'.`, 'input', 'unknown_fault');
}

function readFault(text: string, nth: number): ChosenFault | undefined {
  let first = 0;
  for (const [, name = '', rest = ''] of text.matchAll(FAULT_WORD)) {
    const kind = name.toLowerCase();
    if (!isFaultKind(kind)) throw badParameter(`Unknown fault '${name}'.`, 'input', 'unknown_fault');
    const fault: ChosenFault = { kind };
    let times = Number.POSITIVE_INFINITY;
    for (const word of rest.trim().split(/\s+/)) {
      if (/^x\d+$/i.test(word)) times = Number(word.slice(1));
      else if (word) readSetting(fault, word);
    }
    if (nth < first + times) return fault;
    first += times;
  }
  return undefined;
}

/** What the prompt asks of the `nth` call (from 0) with this input. Throws a RefusedRequest for a fault nobody knows. */
export function readPromptWords(text: string, nth: number): PromptWords {
  if (!text.includes('[[')) return NONE;
  const fault = readFault(text, nth);
  const calls = [...text.matchAll(CALL_WORD)].flatMap(([, name]) => (name ? [name] : []));
  return { slowMs: Number(SLOW_WORD.exec(text)?.[1] ?? 0), calls, ...(fault && { fault }) };
}

/** The text without such words: they steer the answer and never show in it. */
export function withoutPromptWords(text: string): string {
  return text.includes('[[') ? text.replace(ANY_WORD, '').trim() : text;
}
