/**
 * Preloaded into a worker process of `bench recording`: it gets plain-attempt.ts where packages/queue has attempt.ts.
 * So the switch costs production code nothing, and nobody can turn recording off by configuration.
 */
import { registerHooks } from 'node:module';

const RECORDING = new URL('../../packages/queue/src/attempt.ts', import.meta.url).href;
const PLAIN = new URL('./plain-attempt.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const resolved = nextResolve(specifier, context);
    // The plain one is built on the real one.
    return resolved.url === RECORDING && context.parentURL !== PLAIN ? { ...resolved, url: PLAIN } : resolved;
  },
});
