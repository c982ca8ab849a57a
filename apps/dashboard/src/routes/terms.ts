/** What the routes below /api are made with. */
import type { FileStorage } from '@millrace/files';
import type { Store } from '@millrace/queue';

export interface RouteTerms {
  store: Store;
  /** Input, output and error files of batches. */
  files: FileStorage;
}
