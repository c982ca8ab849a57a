/** Who looks, as the pages are told. */
import type { Role } from '@millrace/core';

export interface SessionView {
  name: string;
  role: Role;
  /** To be sent as `x-csrf-token` with whatever changes something. */
  csrf: string;
  /** No keys are configured: everybody on this machine is an operator, and nobody signs in. */
  open: boolean;
}
