/** What an example is given by the command that runs it, and what it hands back to be told. */
import type { Bill } from './bill.ts';
import type { Millrace } from './millrace.ts';

export interface Example {
  millrace: Millrace;
  /**
   * Who answers in the end: `simulator`, the base URL of an API, or `unknown` where the Millrace is somebody else's.
   * Part of every idempotency key: what a simulator has said is no answer of a model's.
   */
  upstream: string;
  /** The folder of the results, which exists. */
  out: string;
  /** A file or folder of the user's own, in place of the sample that comes with the example. */
  input: string | undefined;
  /** A line for the user. */
  say: (line: string) => void;
  /** A file's name as the user may type it. */
  shown: (file: string) => string;
}

export interface Outcome {
  /** What was made, and where it is. */
  results: string[];
  bill: Bill;
  /** In words, what could not be done. */
  failures: string[];
}

/** An example's `run.ts` exports this as `run`. @throws Error in words for the user */
export type Run = (example: Example) => Promise<Outcome>;
