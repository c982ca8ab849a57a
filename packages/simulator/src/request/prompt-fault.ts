/**
 * The fault a prompt names for a call. Faults are counted by the text that holds their words, wherever it stands: a
 * conversation that goes on, or asks again for a better answer, goes on counting where its first call began.
 */
import { hash } from 'node:crypto';
import type { ChosenFault } from '../calls/faults.ts';
import type { Occurrences } from '../calls/random.ts';
import { inputTexts } from './input-text.ts';
import { readPromptWords } from './prompt-words.ts';
import type { CreateRequest } from './validate.ts';

/** The fault that hits this call; counts it. Texts come one after the other, the next once one has no fault left. */
export function choosePromptFault({ model, body, text }: CreateRequest, counted: Occurrences): ChosenFault | undefined {
  if (!text.includes('[[')) return undefined;
  for (const words of inputTexts(body)) {
    // Counted only where it holds a fault: others would crowd out what must be remembered.
    if (!readPromptWords(words, 0).fault) continue;
    const { fault } = readPromptWords(words, counted.count(hash('sha256', `${model}\n${words}`)));
    if (fault) return fault;
  }
  return undefined;
}
