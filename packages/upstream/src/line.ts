/** What every call of one upstream shares. */
import type { OpenAI } from 'openai';
import type { BackgroundUse } from './background-use.ts';
import type { FirstModel } from './first-model.ts';

export interface Line {
  client: OpenAI;
  models: FirstModel;
  background: BackgroundUse;
  /** The longest silence of an answer, in milliseconds. */
  idleMs: number;
  /** Hears of faults in Millrace itself, whole: the Outcome tells only their kind. */
  onFault: (error: unknown) => void;
}
