/**
 * What a batch's record counts beside how many jobs ended: tokens by model, billed tool calls, failures by code. `finish`
 * moves them with the job's outcome, so a job counts once. Fields of the record:
 * `in:<model>`, `out:<model>`, `cached:<model>` tokens · `calls:<tool>` · `code:<code>` jobs that were not answered ·
 * `example:<n>:<code>` the id of the n-th of them · `names:<prefix>` how many names were seen.
 */

/** Beyond these many, models (of a batch whose lines name their own) and codes are counted together, under ''. */
export const BATCH_MODELS = 50;
export const BATCH_CODES = 30;
/** Jobs of each code that are kept by their ids. */
export const BATCH_EXAMPLES = 5;

export interface ModelTokens {
  /** `''`: of models beyond the bound. */
  model: string;
  input: number;
  /** Of `input`, found in the upstream's cache. */
  cached: number;
  output: number;
}

export interface CodeCount {
  /** `''`: of codes beyond the bound. A job that was cancelled has `cancelled`. */
  code: string;
  count: number;
  /** Ids of the first few jobs. */
  examples: string[];
}

export interface BatchCounts {
  tokens: ModelTokens[];
  /** By type, of tools that the upstream bills apart. */
  tool_calls: Record<string, number>;
  /** The most frequent first. */
  codes: CodeCount[];
}

/** What a record counts; zeros are left out. */
export function countsFromRecord(record: Readonly<Record<string, string>>): BatchCounts {
  const after = (prefix: string): [string, number][] =>
    Object.entries(record).flatMap(([field, value]) =>
      field.startsWith(prefix) ? [[field.slice(prefix.length), Number(value)]] : [],
    );
  const number = (field: string): number => Number(record[field] ?? 0);
  const examplesOf = (code: string): string[] =>
    Array.from({ length: BATCH_EXAMPLES }, (_, index) => record[`example:${index + 1}:${code}`]).filter(
      (id) => id !== undefined,
    );
  return {
    tokens: after('in:').map(([model, input]) => ({
      ...{ model, input, output: number(`out:${model}`), cached: number(`cached:${model}`) },
    })),
    tool_calls: Object.fromEntries(after('calls:')),
    codes: after('code:')
      .map(([code, count]) => ({ code, count, examples: examplesOf(code) }))
      .sort((a, b) => b.count - a.count),
  };
}
