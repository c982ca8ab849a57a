/** What the demo asks of each README, and the shape of the answer. */
import type { Readme } from './collect-readmes.ts';

export interface PackageFacts {
  name: string;
  purpose: string;
  license: string | null;
  install_command: string | null;
  links: string[];
}

export const DEMO_QUEUE = 'extract';

const SCHEMA = {
  name: 'package_readme',
  schema: {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'The name of the package.' },
      purpose: { type: 'string', description: 'What the package is for, in one sentence of the document.' },
      license: { type: ['string', 'null'], description: 'The licence, as an SPDX identifier such as MIT.' },
      install_command: { type: ['string', 'null'], description: 'The command that installs the package.' },
      links: { type: 'array', items: { type: 'string' }, description: 'Every URL in the document, each once.' },
    },
    required: ['name', 'purpose', 'license', 'install_command', 'links'],
    additionalProperties: false,
  },
} as const;

const INSTRUCTIONS = 'The document is the README of a software package.';

/** A quarter of the characters: the rule of thumb for English text. */
const CHARACTERS_PER_TOKEN = 4;
/** Instructions and schema, which go with every document. */
const TOKENS_AROUND = 220;

/** The job for one README, as `POST /v1/jobs` takes it. */
export function extractionJob(readme: Readme, run: string): object {
  return {
    type: 'extract',
    queue: DEMO_QUEUE,
    document: readme.text,
    schema: SCHEMA,
    instructions: INSTRUCTIONS,
    metadata: { package: readme.package, demo: run },
    // Sent again after a crash, it is the same job.
    idempotency_key: `${run}/${readme.package}`,
  };
}

/** The estimate is no better than this. */
const ROUNDED_TO_TOKENS = 1000;

/** About how many tokens the documents will be on the way in. */
export function estimateTokens(readmes: readonly Readme[]): number {
  const characters = readmes.reduce((sum, readme) => sum + readme.text.length, 0);
  const tokens = characters / CHARACTERS_PER_TOKEN + readmes.length * TOKENS_AROUND;
  return Math.ceil(tokens / ROUNDED_TO_TOKENS) * ROUNDED_TO_TOKENS;
}
