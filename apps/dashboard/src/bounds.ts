/** The sizes and times that keep one page, one viewer or one document from harming the others. */

/** How often the figures of a live page are read while somebody watches: for all who do, at some ms of Redis's time. */
export const POLL_MS = 2000;
/** What was spent, while somebody watches: in steps of a second it would only flicker. */
export const COST_POLL_MS = 5000;
/** Days that it is told of live. */
export const COST_SPANS: readonly number[] = [1, 7, 30, 90];
/** The last hour's lines are a few kilobytes: sent less often. */
export const HISTORY_POLL_MS = 5000;
/** What one page may be told of at once. */
export const MAX_TOPICS = 8;
/** Open pages that are served live, of all kinds together; more are told to come back. Each costs a socket and its buffer. */
export const MAX_VIEWERS = 200;
/** Topics that are read for all of them together: the same page of many is one. Some are read twice a second. */
export const MAX_OPEN_TOPICS = 200;
/** A page of which nothing changes hears so often that it is still connected. */
export const QUIET_MS = 20_000;
/** What may wait for a viewer that does not read. An event is a few kilobytes at most: this is a minute of them. */
export const MAX_VIEWER_BUFFER_BYTES = 256 * 1024;
/** A socket on which nothing moves for this long is closed: the other end is gone, or does not read. */
export const SOCKET_IDLE_MS = 60_000;
/** A request's headers, and the body it should not have, must be here by then. */
export const REQUEST_MS = 10_000;
/** The last failures shown. */
export const FAILURES_SHOWN = 6;
/** The causes that most jobs failed of; all are on a page of their own. */
export const CAUSES_SHOWN = 5;
/** Of an error's message in a list: enough to know it again. The job's page has the whole. */
export const MESSAGE_CHARACTERS = 300;
/** One text on a job's page. What is longer is cut, and linked whole as JSON. */
export const TEXT_CHARACTERS = 64 * 1024;
/** Items of a conversation shown one by one. */
export const INPUT_ITEMS = 50;
/** Calls of a job that were not its last: the last ones are shown, and so many tool calls and misses of each. */
export const TURNS_SHOWN = 30;
export const TURN_PARTS_SHOWN = 20;
/** Of what was said, asked of a tool and told by it in such a call. */
export const TURN_CHARACTERS = 2000;
/** Of a tool’s name. */
export const TOOL_NAME_CHARACTERS = 80;
/** Flows on one page of their list. */
export const FLOWS_SHOWN = 25;
/** Of a step's jobs, so many are listed. */
export const STEP_JOBS_SHOWN = 50;
/** Attempts shown: the first ones matter least. */
export const ATTEMPTS_SHOWN = 100;
/** Jobs that one bull-board request may load with their records. */
export const BOARD_JOBS = 100;
/** Records read at the same time for bull-board: each may hold a request of many megabytes until it is cut. */
export const BOARD_READS_AT_ONCE = 8;
/** A request's or a result's preview in bull-board. */
export const BOARD_PREVIEW_CHARACTERS = 2000;
/** All texts of one job on its page together, and each of them. */
export const PAGE_CHARACTERS = 512 * 1024;
export const PART_CHARACTERS = TEXT_CHARACTERS;
/** Parts of one message. */
export const PARTS_SHOWN = 50;
/** Images that came with a request and are shown: as base64, all together. */
export const IMAGE_BYTES_SHOWN = 4 * 1024 * 1024;
/** A structured answer that is longer is no tree any more; and one that is longer still is not checked once more. */
export const TREE_CHARACTERS = 64 * 1024;
export const CHECKED_CHARACTERS = 1024 * 1024;
/** An input that is longer is not edited in a page. */
export const EDITABLE_CHARACTERS = 256 * 1024;
/** An edit as it is sent. */
export const EDIT_BYTES = 2 * 1024 * 1024;
/** Jobs whose text is followed live, by all pages together. */
export const MAX_FOLLOWERS = 200;
/** How often it is looked how a job stands while somebody looks at its page: a kilobyte. */
export const JOB_POLL_MS = 500;
/** And once it has ended. */
export const ENDED_JOB_POLL_MS = 5000;
/** Batches on one page of their list. */
export const BATCHES_SHOWN = 50;
/** Of a step's jobs, so many are looked at for those that failed, in one request. */
export const STEP_JOBS_LOOKED_AT = 2000;
/** Jobs of a flow whose usage is read for its cost; of a larger one the cost is told of these. */
export const FLOW_JOBS_PRICED = 500;
/** A result larger than this is not opened for its beginning. */
export const SAID_BYTES = 64 * 1024;
/** Acts on one page of the audit list. */
export const ACTS_SHOWN = 100;
/** Of what a list is asked to be filtered by. */
export const FILTER_CHARACTERS = 200;
