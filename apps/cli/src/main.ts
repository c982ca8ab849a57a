/**
 * The entry of `millrace`. It looks at Node's version before it loads anything else, so that an old Node gets a
 * sentence and not a syntax error.
 */

/** Types are stripped by Node itself, and `node:sqlite`, `--import` of TypeScript and the rest are there from 24 on. */
const LEAST_NODE = 24;

const major = Number(process.versions.node.split('.')[0]);
if (major < LEAST_NODE) {
  process.stderr.write(
    `Millrace needs Node ${LEAST_NODE} or newer; this is Node ${process.versions.node}.\n` +
      'Node 24 comes with the install: run `npx pnpm@12 start`, which uses it whatever Node the machine has.\n',
  );
  process.exit(1);
}
const { runProgram } = await import('./program.ts');
await runProgram(process.argv);
