/** The sizes and times that keep one client from harming the others. Each is named in the error it causes. */

/**
 * One JSON body, or one line of NDJSON, inflated. Room for a long document or a few images as data URIs. One sender may
 * hold as much of our memory, several times over while it is parsed, and senders are not counted: so not OpenAI's 50 MB.
 */
export const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
/** A JSON body must be here by then. */
export const BODY_MS = 30_000;
/** A stream of lines may take as long as it likes, but not pause for longer than this. */
export const PAUSE_MS = 30_000;
/** Headers must be here by then. */
export const HEADERS_MS = 10_000;
/** How much of a refused body is read and thrown away, so that the client gets to see the answer. */
export const DISCARD_BYTES = 256 * 1024 * 1024;
/** Lines that are stored in one go, and so answered in one go. */
export const LINES_PER_CHUNK = 200;
