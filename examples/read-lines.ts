/** A text file's lines, without empty ones and those that begin with '#'. */
import { readFileSync } from 'node:fs';

/** @throws Error where there is no such file, or nothing in it */
export function readLines(file: string): string[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) throw new Error(`${file} has no line`);
  return lines;
}
