/** What the routes below /api are made with. */
import type { Store } from '@millrace/queue';

export interface RouteTerms {
  store: Store;
  apiPort: number;
}
