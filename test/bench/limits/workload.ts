/** The jobs of `bench limits`: mixed sizes, alike for every contender and every run. */

export interface BenchJob {
  /** By what the upstream's ledger knows it. */
  key: string;
  input: string;
  /** null: not given, so the answer counts for what it has. */
  maxOutputTokens: number | null;
}

export const JOBS = 1500;
/** Prompts from a short question (some 12 tokens) … */
const SHORTEST_CHARACTERS = 48;
/** … to a document of 60 times that, evenly on a logarithmic scale. */
const SPREAD = 60;
/** So many jobs say how long their answer may be. */
const BOUNDED_SHARE = 1 / 3;
/** More than the simulator ever answers: what is counted for and not used, and no answer is cut. */
const MAX_OUTPUT_TOKENS = 256;
const SEED = 7;
const WORDS =
  'the wheel takes what the river gives and the miller keeps count of every sack that leaves the mill '.repeat(
    Math.ceil((SHORTEST_CHARACTERS * SPREAD) / 90),
  );

/** The same jobs each time. @param name what their keys begin with */
export function mixedJobs(count = JOBS, name = 'job'): BenchJob[] {
  const draw = draws(SEED);
  return Array.from({ length: count }, (_, number) => {
    const characters = Math.round(SHORTEST_CHARACTERS * SPREAD ** draw());
    const bounded = draw() < BOUNDED_SHARE;
    const key = `${name}-${number}`;
    return {
      key,
      // The number first: the simulator answers different prompts differently.
      input: `${number} ${WORDS}`.slice(0, characters),
      maxOutputTokens: bounded ? MAX_OUTPUT_TOKENS : null,
    };
  });
}

/** As the Responses API takes it; the model is its caller's to name. */
export function requestOf({ key, input, maxOutputTokens }: BenchJob): {
  input: string;
  metadata: { key: string };
  max_output_tokens?: number;
} {
  return { input, metadata: { key }, ...(maxOutputTokens === null ? {} : { max_output_tokens: maxOutputTokens }) };
}

/** Lehmer's generator (Park and Miller, 1988): enough for sizes, and the same everywhere. */
function draws(seed: number): () => number {
  const modulus = 2 ** 31 - 1;
  let state = seed;
  return () => {
    state = (state * 16_807) % modulus;
    return state / modulus;
  };
}
