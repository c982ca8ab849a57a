/** What the routes below /api are made with. */
import type { FileStorage } from '@millrace/files';
import type { Store } from '@millrace/queue';
import type { JobIndex } from '../search/job-index.ts';

export interface RouteTerms {
  store: Store;
  index: JobIndex;
  /** Input, output and error files of batches. */
  files: FileStorage;
}
