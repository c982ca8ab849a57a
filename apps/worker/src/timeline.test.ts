import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openTimeline } from './timeline.ts';

const STARTED_AT = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('an attempt’s moments are Redis’s, measured from when that recorded its beginning', () => {
  const timeline = openTimeline();
  expect(timeline.read()).toBeNull();
  vi.advanceTimersByTime(700);
  timeline.admitted('tokens');
  vi.advanceTimersByTime(5);
  timeline.begun(STARTED_AT);
  vi.advanceTimersByTime(10);
  timeline.called();
  vi.advanceTimersByTime(200);
  timeline.event('response.created');
  vi.advanceTimersByTime(40);
  timeline.event('response.output_text.delta');
  vi.advanceTimersByTime(40);
  timeline.event('response.output_text.delta');
  timeline.called();
  expect(timeline.read()).toEqual({
    ...{ taken_at: STARTED_AT - 705, waited_ms: 700, waited_for: 'tokens' },
    ...{ called_at: STARTED_AT + 10, first_token_at: STARTED_AT + 250 },
  });
});

it('where nothing was called, and nothing waited for, nothing is told of it', () => {
  const timeline = openTimeline();
  timeline.begun(STARTED_AT);
  expect(timeline.read()).toEqual({
    ...{ taken_at: STARTED_AT, waited_ms: 0, waited_for: null },
    ...{ called_at: null, first_token_at: null },
  });
});
