/** The bytes of stored files: in a folder, or in an S3-compatible bucket. A file is stored whole or not at all. */
export { type FileStorage, NotStoredError, openFiles, type Written } from './storage.ts';
