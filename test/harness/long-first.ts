/** The order of test files: those that take a minute and more begin first, so that none of them is alone at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONG = ['01-worker-killed', '20-upstream-refuses'];

function isLong({ moduleId }: TestSpecification): boolean {
  return LONG.some((name) => moduleId.includes(name));
}

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
