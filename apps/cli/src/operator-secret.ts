/** The key with which `start` talks to its own API. */
import type { Environment } from '@millrace/core';

/** An operator's, else a viewer's (which may read), else none: without any keys the API asks for none. */
export function operatorSecret({ apiKeys }: Environment): string | null {
  return (apiKeys.find((key) => key.role === 'operator') ?? apiKeys[0])?.secret ?? null;
}
