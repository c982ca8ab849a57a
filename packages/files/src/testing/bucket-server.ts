/** As much of S3 as the client of a bucket asks for, in memory: objects, uploads in parts, a listing. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BucketServer {
  url: string;
  objects: Map<string, Buffer>;
  /** Uploads that were begun and neither completed nor aborted. */
  openUploads(): number;
  /** Parts that were sent so far. */
  parts(): number;
  close(): Promise<void>;
}

export async function bucketServer(): Promise<BucketServer> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Map<number, Buffer>>();
  let parts = 0;
  let ids = 0;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://bucket');
    const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'));
    const upload = url.searchParams.get('uploadId');
    const body = await bodyOf(request);
    const xml = (text: string): void => {
      response.setHeader('content-type', 'application/xml');
      response.end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
    };
    if (request.method === 'POST' && url.searchParams.has('uploads')) {
      const id = `upload${++ids}`;
      uploads.set(id, new Map());
      return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (request.method === 'PUT' && upload !== null) {
      parts += 1;
      uploads.get(upload)?.set(Number(url.searchParams.get('partNumber')), body);
      return response.setHeader('etag', `"part"`).end();
    }
    if (request.method === 'POST' && upload !== null) {
      const sent = [...(uploads.get(upload) ?? [])].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
      uploads.delete(upload);
      objects.set(key, Buffer.concat(sent));
      return xml('<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>');
    }
    if (request.method === 'DELETE') {
      if (upload !== null) uploads.delete(upload);
      else objects.delete(key);
      response.statusCode = 204;
      return response.end();
    }
    if (request.method === 'PUT') {
      objects.set(key, body);
      return response.setHeader('etag', '"whole"').end();
    }
    if (key === '') {
      const at = '<LastModified>2020-01-01T00:00:00.000Z</LastModified>';
      const found = [...objects.keys()].map((name) => `<Contents><Key>${name}</Key>${at}</Contents>`);
      return xml(`<ListBucketResult><IsTruncated>false</IsTruncated>${found.join('')}</ListBucketResult>`);
    }
    const object = objects.get(key);
    if (object !== undefined) return response.end(object);
    response.statusCode = 404;
    xml('<Error><Code>NoSuchKey</Code><Message>none</Message></Error>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    openUploads: () => uploads.size,
    parts: () => parts,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The body, without the framing that the SDK gives to streams it signs piece by piece. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const whole = Buffer.concat(pieces);
  if (!(request.headers['content-encoding'] ?? '').includes('aws-chunked')) return whole;
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = whole.indexOf('\r\n', at);
    const length = Number.parseInt(whole.toString('latin1', at, lineEnd), 16);
    if (!(length > 0)) return Buffer.concat(chunks);
    chunks.push(whole.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}
