/**
 * The order of test files: the longest begin first, so that none of them is alone at the end; of two that follow each
 * other, and so run beside each other, one mostly waits where the other one starts many processes.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONG = [
  ...['01-worker-killed', '20-upstream-refuses', 'e2e/waiting', 'e2e/outage', '11-redis-disk-full', '21-batch-killed'],
  ...['e2e/taking', '15-blocked-loop', '14-poison-job', 'e2e/streaming-crash', 'e2e/start.test', '03-redis-away'],
];

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONG.findIndex((name) => moduleId.includes(name));
  return place === -1 ? LONG.length : place;
}

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
