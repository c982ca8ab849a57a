/** A few plausible sentences that begin with the prompt's words: the same prompt and seed always read the same. */
import { withoutPromptWords } from '../request/prompt-words.ts';

const MAX_TOPIC_WORDS = 10;
const MAX_WORD_CHARACTERS = 40;
/** Prompts are read no further for a topic, and no more of what is left of that without the words that steer. */
const PROMPT_CHARACTERS = 20_000;
const TOPIC_CHARACTERS = 400;
const MAX_RESULT_CHARACTERS = 200;
const MIN_SENTENCES = 3;
const MAX_SENTENCES = 6;
const EMPTY_TOPIC = 'This question';

const SENTENCES = [
  (topic: string) => `The short answer is that ${topic} depends on a few things that are easy to check.`,
  (topic: string) =>
    `Most people who look into ${topic} start with what they can measure and leave the rest for later.`,
  () => 'It helps to take the parts one at a time, beginning with the one that changes least.',
  () => 'A small example makes the point: change one thing, keep everything else as it was, and compare.',
  (topic: string) => `There is more than one good way to think about ${topic}, and they agree on what matters.`,
  () => 'The details differ from case to case, but the order of the steps stays the same.',
  () => 'If two of the figures disagree, trust the one whose source you can name.',
  (topic: string) => `In practice, ${topic} is less about rules than about knowing what to look at first.`,
  () => 'What is written down once and read often is worth writing carefully.',
  () => 'That leaves one open question, which is how much certainty is needed before acting.',
] as const;

/** What a prompt is about: its first words. */
export function topicOf(prompt: string): string {
  const words = withoutPromptWords(prompt.slice(0, PROMPT_CHARACTERS))
    .slice(0, TOPIC_CHARACTERS)
    .replace(/[^\p{L}\p{N}'’ -]+/gu, ' ')
    .split(' ')
    .filter(Boolean)
    .slice(0, MAX_TOPIC_WORDS);
  return words.map((word) => word.slice(0, MAX_WORD_CHARACTERS)).join(' ') || EMPTY_TOPIC;
}

/**
 * Sentences about `prompt`; `draw` is an even source of chance from [0, 1). `result` is what a function gave: it is
 * quoted, at most 200 characters, so that it shows what the model was given.
 */
export function writeProse(prompt: string, draw: () => number, result = ''): string {
  const topic = topicOf(prompt);
  const count = MIN_SENTENCES + Math.floor(draw() * (MAX_SENTENCES - MIN_SENTENCES + 1));
  const start = Math.floor(draw() * SENTENCES.length);
  const sentences = [`${topic}: here is what can be said about it.`];
  const given = withoutPromptWords(result).slice(0, MAX_RESULT_CHARACTERS).toWellFormed();
  // Inside a sentence, a capital that only began the prompt would look odd; one of an acronym would not.
  const within = /^\p{Lu}\p{Ll}/u.test(topic) ? topic.charAt(0).toLowerCase() + topic.slice(1) : topic;
  for (let index = 0; sentences.length < count; index += 1) {
    const sentence = SENTENCES[(start + index) % SENTENCES.length];
    if (sentence) sentences.push(sentence(within));
  }
  if (given) sentences.splice(1, 0, `The last result reads: ${given}`);
  return sentences.join(' ');
}
