import * as fc from 'fast-check';
import type { ImageDetail } from 'openai/resources/responses/responses';
import { describe, expect, it } from 'vitest';
import { parseBatchLine } from './batch-line.ts';
import { responsesRequestOf } from './chat-completions/responses-request-of.ts';
import { MAX_IMAGE_BYTES } from './check-image-data.ts';
import { checkImageList, MAX_IMAGES } from './check-images.ts';
import { parseJobRequest } from './job-request.ts';
import { parseResponsesRequest } from './responses-request.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const JPEG = Buffer.from('ffd8ffe000104a4649460001', 'hex');
const WEBP = Buffer.from('524946461a000000574542505650384c', 'hex');
const GIF = Buffer.from('GIF89a\u0001\0\u0001\0', 'latin1');
const TEXT = Buffer.from('This is a text, not an image.');

const dataUri = (type: string, bytes: Buffer): string => `data:${type};base64,${bytes.toString('base64')}`;
const asked = (...parts: unknown[]) => ({
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'x' }, ...parts] }],
});
const image = (url: unknown, more: object = {}) => ({ type: 'input_image', image_url: url, ...more });
const AT = 'input[0].content[1].image_url';

function refuse(url: unknown, code: string, message: unknown = expect.any(String)): void {
  const body = asked(image(url));
  expect(() => parseResponsesRequest(body)).toThrow(expect.objectContaining({ param: AT, code, message, status: 400 }));
}

describe('an image in a data URI', () => {
  it.each([
    ['image/png', PNG],
    ['image/jpeg', JPEG],
    ['image/jpg', JPEG],
    ['image/webp', WEBP],
    ['image/gif', GIF],
    ['IMAGE/PNG', PNG],
    ['image/png;name=a.png', PNG],
  ])('of %s passes as it is', (type, bytes) => {
    const body = asked(image(dataUri(type, bytes)));
    expect(parseResponsesRequest(body)).toBe(body);
  });

  it('is refused where its bytes are not what is declared, both named', () => {
    refuse(dataUri('image/png', TEXT), 'invalid_image_format', expect.stringContaining('declared as image/png, but'));
    refuse(dataUri('image/png', JPEG), 'invalid_image_format', expect.stringContaining('they are image/jpeg'));
    refuse(dataUri('image/webp', Buffer.from('RIFF....WAVE')), 'invalid_image_format');
    refuse(dataUri('image/png', PNG.subarray(0, 4)), 'invalid_image_format');
  });

  it.each(['image/svg+xml', 'application/pdf', 'text/plain', '', 'image/pngx', 'x'.repeat(200)])(
    'is refused as %j, in a short message',
    (type) => {
      refuse(dataUri(type, PNG), 'unsupported_image_media_type', expect.stringMatching(/^.{0,300}$/));
    },
  );

  it.each([
    ['no data', 'data:image/png;base64,'],
    ['no base64', 'data:image/png,%89PNG'],
    ['no comma', `data:image/png;base64${'A'.repeat(10_000)}`],
    ['a foreign character', `${dataUri('image/png', PNG)}!AAA`],
    ['line breaks', dataUri('image/png', PNG).replace('AA', 'AA\r\n')],
    ['the alphabet of URLs', 'data:image/png;base64,iVBORw0KGgo-____'],
    ['its padding missing', 'data:image/png;base64,iVBORw0KGgo'],
    ['padding within', 'data:image/png;base64,iVBORw0KGgo=iVBO'],
    ['padding only', 'data:image/png;base64,===='],
    ['three padding characters', 'data:image/png;base64,A==='],
    ['half a byte', 'data:image/png;base64,AAAAA'],
  ])('is refused with %s', (_, url) => {
    refuse(url, 'invalid_base64_image');
  });

  it('is refused when too large, with its size and the limit, and one as large as may be is not', () => {
    const bytes = Buffer.alloc(MAX_IMAGE_BYTES + 1);
    PNG.copy(bytes);
    parseResponsesRequest(asked(image(dataUri('image/png', bytes.subarray(0, MAX_IMAGE_BYTES)))));
    refuse(dataUri('image/png', bytes), 'image_too_large', expect.stringMatching(/20971521 bytes.*20971520/));
  });

  it('is never repeated in a message', () => {
    const secret = 'c2VjcmV0'.repeat(100);
    for (const url of [`data:image/png;base64,${secret}`, `data:image/png;base64,${secret}!`, `data:${secret}`]) {
      refuse(url, expect.any(String) as never, expect.not.stringContaining('c2VjcmV0c2VjcmV0'));
    }
  });

  it('passes for any bytes behind the signature, and only as whole base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (tail, cut) => {
        const url = dataUri('image/png', Buffer.concat([PNG, tail]));
        parseResponsesRequest(asked(image(url)));
        const shorter = url.slice(0, -1 - (cut % 3));
        if ((shorter.length - shorter.indexOf(',') - 1) % 4 !== 0) refuse(shorter, 'invalid_base64_image');
      }),
    );
  });

  it('of 15 MB is checked in a fraction of a second, good or bad to its last character', () => {
    const good = dataUri('image/png', Buffer.concat([PNG, Buffer.alloc(15_000_000 - PNG.length, 7)]));
    const started = performance.now();
    parseResponsesRequest(asked(image(good)));
    refuse(`${good.slice(0, -1)}!`, 'invalid_base64_image');
    refuse(`data:image/png;base64,${'='.repeat(20_000_000)}`, 'invalid_base64_image');
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

describe('an image’s URL', () => {
  it.each([
    'https://example.com/a.png?x=1',
    'http://example.com:8080/a',
    'HTTPS://EXAMPLE.COM/A',
    'http://8.8.8.8/a.png',
    'https://[2606:2800:220:1:248:1893:25c8:1946]/a',
    'https://localhost.example.com/a',
    'https://internal.example.com/a',
  ])('%s passes', (url) => {
    const body = asked(image(url));
    expect(parseResponsesRequest(body)).toBe(body);
  });

  it.each([
    ...['http://169.254.169.254/x.png', 'http://[::1]/x.png', 'http://127.0.0.1/', 'http://10.1.2.3/', 'http://0/'],
    ...['http://2130706433/', 'http://0x7f.1/', 'http://[::ffff:10.0.0.1]/', 'http://[fe80::1]/', 'http://[fd00::1]/'],
    ...[
      'http://localhost/x.png',
      'http://LOCALHOST:80/',
      'http://localhost./',
      'http://a.localhost/',
      'http://a.local/',
    ],
    ...['http://metadata.google.internal/', 'http://redis:6379/', 'http://x.localdomain/', 'http://127.0.0.1./'],
    'http://①②⑦.⓪.⓪.①/',
  ])('%s is refused: it leads to no public address', (url) => {
    refuse(url, 'invalid_image_url', expect.stringMatching(/no public address\. The upstream fetches the image/));
  });

  it.each([
    ...['file:///etc/passwd', 'ftp://example.com/a.png', 'javascript:alert(1)', 'blob:https://example.com/1', ''],
    ...['example.com/a.png', '/a.png', 'https://', ' https://example.com/', 'https://exa\nmple.com/', 'http:127.0.0.1'],
    ...['http:/example.com', 'http://example.com\\@127.0.0.1/', 'https:\\\\example.com'],
  ])('%j is refused: it is none', (url) => {
    refuse(url, 'invalid_image_url', expect.stringContaining('no http:// or https:// URL'));
  });

  it('with credentials is refused, and they are not repeated', () => {
    refuse('https://me:secret@example.com/a', 'invalid_image_url', expect.not.stringContaining('secret'));
    refuse('https://me@example.com/a', 'invalid_image_url', expect.stringContaining('credentials'));
  });
});

describe('the part that holds an image', () => {
  const refusePart = (part: object, param: string, code: string) =>
    expect(() => parseResponsesRequest(asked({ type: 'input_image', ...part }))).toThrow(
      expect.objectContaining({ param: `input[0].content[1].${param}`, code }),
    );
  const url = 'https://example.com/a.png';

  it('has a URL or a file id, and one of them', () => {
    const body = asked({ type: 'input_image', file_id: 'file_1', image_url: null });
    expect(parseResponsesRequest(body)).toBe(body);
    refusePart({}, 'image_url', 'missing_required_parameter');
    refusePart({ image_url: null }, 'image_url', 'missing_required_parameter');
    refusePart({ image_url: url, file_id: 'file_1' }, 'image_url', 'mutually_exclusive_parameters');
    refusePart({ image_url: 1 }, 'image_url', 'invalid_type');
    refusePart({ file_id: {} }, 'file_id', 'invalid_type');
  });

  it('has a detail of the SDK’s, or none', () => {
    const details: Record<ImageDetail, true> = { low: true, high: true, auto: true, original: true };
    for (const detail of [...Object.keys(details), null, undefined]) {
      parseResponsesRequest(asked(image(url, { detail })));
    }
    refusePart({ image_url: url, detail: 'best' }, 'detail', 'invalid_value');
    refusePart({ image_url: url, detail: 1 }, 'detail', 'invalid_type');
  });
});

describe('wherever an image stands', () => {
  const bad = 'http://localhost/x.png';
  const part = image(bad);
  it.each<[string, object, string]>([
    ['a message', { input: [{ role: 'user', content: [part] }] }, 'input[0].content[0].image_url'],
    [
      'a function’s output',
      { input: [{ type: 'function_call_output', call_id: 'c', output: [part] }] },
      'input[0].output[0].image_url',
    ],
    [
      'a custom tool’s output',
      { input: [{ type: 'custom_tool_call_output', call_id: 'c', output: [part] }] },
      'input[0].output[0].image_url',
    ],
    [
      'a computer’s screenshot',
      {
        input: [
          { type: 'computer_call_output', call_id: 'c', output: { type: 'computer_screenshot', image_url: bad } },
        ],
      },
      'input[0].output.image_url',
    ],
    [
      'a list of screenshots',
      { input: [{ type: 'computer_call_output', call_id: 'c', output: [part] }] },
      'input[0].output[0].image_url',
    ],
    ['a kind of item to come', { input: [{ type: 'news', content: [part] }] }, 'input[0].content[0].image_url'],
    ['a prompt’s variable', { prompt: { id: 'p', variables: { photo: part } } }, 'prompt.variables.photo.image_url'],
    [
      'a mask',
      { input: 'x', tools: [{ type: 'image_generation', input_image_mask: { image_url: bad } }] },
      'tools[0].input_image_mask.image_url',
    ],
  ])('%s: it is refused by its path', (_, body, param) => {
    expect(() => parseResponsesRequest(body)).toThrow(expect.objectContaining({ param, code: 'invalid_image_url' }));
  });

  it('in a job and in a line of a batch, the path begins there', () => {
    const body = { input: [{ role: 'user', content: [part] }] };
    expect(() => parseJobRequest({ type: 'generate', request: body })).toThrow(
      expect.objectContaining({ param: 'request.input[0].content[0].image_url' }),
    );
    const line = JSON.stringify({ custom_id: '1', method: 'POST', url: '/v1/responses', body });
    expect(() => parseBatchLine(line, '/v1/responses', [])).toThrow(
      expect.objectContaining({ param: 'body.input[0].content[0].image_url' }),
    );
  });

  it('in chat messages, the path is the caller’s', () => {
    const chat = (image_url: unknown, role = 'user') => ({
      messages: [
        { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] },
        { role, content: [{ type: 'image_url', image_url }], ...(role === 'tool' ? { tool_call_id: 'c' } : {}) },
      ],
    });
    const refuseChat = (body: unknown, param: string, code: string) =>
      expect(() => responsesRequestOf(body)).toThrow(expect.objectContaining({ param, code }));
    refuseChat(chat({ url: bad }), 'messages[1].content[0].image_url.url', 'invalid_image_url');
    refuseChat(chat(bad), 'messages[1].content[0].image_url', 'invalid_image_url');
    refuseChat(chat({ url: bad }, 'tool'), 'messages[1].content[0].image_url.url', 'invalid_image_url');
    refuseChat(
      chat({ url: 'https://example.com/', detail: 'x' }),
      'messages[1].content[0].image_url.detail',
      'invalid_value',
    );
    const line = { custom_id: '1', method: 'POST', url: '/v1/chat/completions', body: chat({ url: bad }) };
    expect(() => parseBatchLine(JSON.stringify(line), '/v1/chat/completions', [])).toThrow(
      expect.objectContaining({ param: 'body.messages[1].content[0].image_url.url' }),
    );
  });
});

describe('all images of a request', () => {
  it('are so many at most', () => {
    const images = Array.from({ length: MAX_IMAGES + 1 }, () => image('https://example.com/a.png'));
    parseResponsesRequest(asked(...images.slice(1)));
    expect(() => parseResponsesRequest(asked(...images))).toThrow(
      expect.objectContaining({ param: `input[0].content[${MAX_IMAGES + 1}].image_url`, code: 'too_many_images' }),
    );
  });

  it('are so large at most', () => {
    const large = dataUri('image/png', Buffer.concat([PNG, Buffer.alloc(MAX_IMAGE_BYTES - PNG.length)]));
    checkImageList([large, large], 'images');
    expect(() => checkImageList([large, large, large], 'images')).toThrow(
      expect.objectContaining({
        param: 'images[2]',
        code: 'image_too_large',
        message: expect.stringMatching(/50 MiB/),
      }),
    );
  });
});
