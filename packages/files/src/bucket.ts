/** Files in an S3-compatible bucket: uploads of any length go in parts, and become a file with the last one. */
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { FilesConfig } from '@millrace/core';
import { bounded, checkedName, type FileStorage, NotStoredError } from './storage.ts';

/** S3's smallest; at most 10,000 parts make 78 GiB. A part is held in memory until it is sent. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

export function openBucket(config: NonNullable<FilesConfig['s3']>): FileStorage {
  const { bucket, prefix, region, endpoint, accessKeyId, secretAccessKey, forcePathStyle } = config;
  const settings: S3ClientConfig = { region, forcePathStyle };
  if (endpoint !== undefined) settings.endpoint = endpoint;
  // Absent: as the SDK finds them, in the environment or from the machine's role.
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    settings.credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client(settings);
  const key = (name: string): string => `${prefix}${checkedName(name)}`;
  return {
    write: async (name, source, maxBytes = Number.POSITIVE_INFINITY) => {
      const written = { bytes: 0 };
      const body = Readable.from(bounded(source, maxBytes, written), { objectMode: false });
      const params = { Bucket: bucket, Key: key(name), Body: body };
      const upload = new Upload({ client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE });
      try {
        await upload.done();
      } catch (error) {
        // The parts that were sent would be kept, and paid for, as an upload that never ends.
        await upload.abort().catch(() => undefined);
        throw error;
      }
      return written;
    },
    read: async (name) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key(name) }));
        return Body as Readable;
      } catch (error) {
        throw (error as Error).name === 'NoSuchKey' ? new NotStoredError(`there is no file ${name}`) : error;
      }
    },
    remove: async (name) => {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key(name) }));
    },
    olderThan: async function* (beforeMs) {
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
        for (const { Key, LastModified } of page.Contents ?? []) {
          if (Key !== undefined && (LastModified?.getTime() ?? beforeMs) < beforeMs) yield Key.slice(prefix.length);
        }
      }
    },
    close: () => client.destroy(),
  };
}
