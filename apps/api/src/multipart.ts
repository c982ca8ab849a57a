/** An upload that was taken apart, as multipart again: streamed, of a length that is known before. */
import { randomBytes } from 'node:crypto';
import type { Replaced } from './pass-on.ts';
import type { Upload } from './upload.ts';

/** @param file its bytes, `taken` of them */
export function multipartOf(upload: Upload<number>, file: AsyncIterable<Uint8Array>): Replaced {
  const boundary = `millrace-${randomBytes(16).toString('hex')}`;
  const fields = [...upload.fields].map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`,
  );
  const type = /^[\w.+/-]+$/.test(upload.contentType) ? upload.contentType : 'application/octet-stream';
  const head = Buffer.from(
    `${fields.join('')}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted(upload.filename)}"\r\nContent-Type: ${type}\r\n\r\n`,
  );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + upload.taken + end.length),
    },
    body: whole(head, file, end),
  };
}

async function* whole(head: Buffer, file: AsyncIterable<Uint8Array>, end: Buffer): AsyncGenerator<Uint8Array> {
  yield head;
  yield* file;
  yield end;
}

/** As browsers escape names (WHATWG, multipart/form-data encoding). */
function quoted(text: string): string {
  return text.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22');
}
