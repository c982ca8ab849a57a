import fc from 'fast-check';
import { expect, it } from 'vitest';
import { causeOf } from './cause.ts';
import type { Job } from './job.ts';
import { normalMessage } from './normal-message.ts';
import type { JobError } from './outcome.ts';

const failed = (error: JobError | null, reason: string | null = 'bad_request'): Pick<Job, 'error' | 'attempts'> => ({
  error,
  attempts: reason === null ? [] : ([{ reason }] as Job['attempts']),
});

it.each([
  [
    'Rate limit reached for gpt-5 on tokens per min: Limit 30000, Used 29,850.',
    'Rate limit reached for gpt-# on tokens per min: Limit #, Used #.',
  ],
  ['Please try again in 1.5s.', 'Please try again in #.'],
  ['Please try again in 6m0s.', 'Please try again in #.'],
  ['No answer within 20 seconds (request req_0a1b2c3d4e).', 'No answer within # (request #).'],
  ['The model `gpt-9` does not exist', 'The model “…” does not exist'],
  ["Unsupported value: 'temperature' does not support 0.2", 'Unsupported value: “…” does not support #'],
  ["It can't be read, and doesn't say why", "It can't be read, and doesn't say why"],
  ['fetch of https://cdn.example.com/a/1.png?x=2 failed', 'fetch of <url> failed'],
  ['mail ops@example.com about it', 'mail <email> about it'],
  ['refused at 2026-11-26T18:44:03.120Z and 2026-11-26 18:44', 'refused at # and #'],
  ['job 123e4567-e89b-12d3-a456-426614174000 is gone', 'job # is gone'],
  ['an unclosed "quote', 'an unclosed quote'],
])('%s', (message, normal) => {
  expect(normalMessage(message)).toBe(normal);
});

const digits = fc.nat().map(String);
const hex = fc.stringMatching(/^[0-9a-f]{8,48}$/);
const id = fc
  .tuple(fc.constantFrom('resp_', 'req_', 'batch_', 'flow_', 'chatcmpl-', ''), hex)
  .map((parts) => parts.join(''));
const filler = fc.record({
  n: digits,
  id: fc.oneof(id, fc.uuid()),
  quoted: fc.stringMatching(/^[^'\n]{0,40}$/),
  url: fc.webUrl().filter((url) => !url.includes("'")),
  email: fc.constantFrom('a@b.example', 'long.name+tag@mail.example.org'),
  time: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString()),
  duration: fc.constantFrom('12ms', '1.5s', '1h2m3s', '3 seconds', '1 second', '250 milliseconds'),
});
const said = (f: {
  n: string;
  id: string;
  quoted: string;
  url: string;
  email: string;
  time: string;
  duration: string;
}) =>
  `The job ${f.id} asked ${f.n} times for '${f.quoted}' at ${f.url} until ${f.time}; told ${f.email} after ${f.duration}.`;

it('jobs that failed for the same reason have the same cause, whatever ids, numbers and quotations it names', () => {
  fc.assert(
    fc.property(filler, filler, digits, digits, (one, other, i, j) => {
      const [a, b] = [
        failed({ code: 'bad', message: said(one), param: `items[${i}].price` }),
        failed({ code: 'bad', message: said(other), param: `items[${j}].price` }),
      ];
      expect(causeOf(a)).toEqual(causeOf(b));
    }),
  );
});

it('other reasons, codes, paths and words are other causes', () => {
  const causes = [
    failed({ code: 'a', message: 'x', param: 'p' }),
    failed({ code: 'b', message: 'x', param: 'p' }),
    failed({ code: 'a', message: 'y', param: 'p' }),
    failed({ code: 'a', message: 'x', param: 'q' }),
    failed({ code: 'a', message: 'x', param: 'p' }, 'timeout'),
    failed(null, null),
  ].map((job) => causeOf(job).id);
  expect(new Set(causes).size).toBe(causes.length);
  for (const cause of causes) expect(cause).toMatch(/^[0-9a-f]{16}$/);
});

it('an answer that missed its schema is told by the first path it missed, without places in lists', () => {
  const missed = (path: string) =>
    failed({ code: 'schema', message: 'm', details: [{ path, problem: 'is no number' }] });
  expect(causeOf(missed('items.3.price'))).toEqual(causeOf(missed('items.14.price')));
  expect(causeOf(missed('items.3.price')).path).toBe('items.#.price');
  expect(causeOf(missed('')).path).toBeNull();
});

/** What messages are hostile with: pieces that begin something, over and over. */
const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        '"',
        "'",
        '`',
        '“',
        '”',
        '‘',
        '«',
        '»',
        '…',
        '<',
        '>',
        '#',
        ' ',
        '\n',
        '@',
        '://',
        'a://',
        '.',
        '-',
        '_',
        ':',
        '+',
      ],
      ...[
        '1',
        '12',
        '1.',
        '1,',
        '2026-11-26',
        '18:44',
        'abcdefab',
        'deadbeef',
        'x',
        's',
        'ms',
        'seconds',
        "don't",
        'é',
        '٣',
      ],
      ...['resp_', 'req-', 'a1b2c3d4', '<url>', '\ud800', 'T', 'Z'],
    ),
    { maxLength: 400 },
  )
  .map((parts) => parts.join(''));

it('what is normal stays as it is, and is short', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 600 })), (message) => {
      const normal = normalMessage(message);
      expect(normal.length).toBeLessThanOrEqual(300);
      expect(normalMessage(normal)).toBe(normal);
    }),
    { numRuns: 3000 },
  );
});

it.each(['"', "'a", '“', 'a.', 'a-', '1.', '1s', '1,', "a'", 'a@', '<', 'a:/', '2026-11-26 ', '# ', 'ab12_', ' '])(
  'five megabytes of %j take no longer than their beginning',
  (piece) => {
    const long = piece.repeat(Math.ceil(5_000_000 / piece.length));
    expect(normalMessage(long)).toBe(normalMessage(long.slice(0, 2000)));
  },
);
