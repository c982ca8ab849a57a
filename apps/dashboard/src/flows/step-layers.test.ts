import { expect, it } from 'vitest';
import { stepLayers } from './step-layers.ts';

it('each step stands after all it needs, as early as it can', () => {
  const steps = {
    bottom: { needs: ['left', 'right'] },
    left: { needs: ['top'] },
    alone: { needs: [] },
    right: { needs: ['left', 'top'] },
    top: { needs: [] },
  };
  expect(stepLayers(steps)).toEqual([['alone', 'top'], ['left'], ['right'], ['bottom']]);
});

it('steps that could never run are still shown', () => {
  expect(stepLayers({ a: { needs: [] }, b: { needs: ['c'] }, c: { needs: ['b'] } })).toEqual([['a'], ['b', 'c']]);
});
