import type { TimerHandle } from '../../platform/clock.js';
import type { ServerTransaction } from '../types.js';
import type { Application } from './application.js';
import type { CoreDialog } from './core-dialog.js';
import type { ReliableProvisionals } from './reliable-provisionals.js';

/** A peer's request that was given to an application and has no final response yet. */
export class PendingRequest {
  dialog: CoreDialog | undefined;
  /** True from the application's first provisional on. */
  hasProvisional = false;
  /** Counts among those that no application has said a word about. */
  isUnheard = true;
  /** The application has given its final response, which waits for PRACKs (RFC 3262 §3). */
  hasHeldFinal = false;
  /** Runs out when the application does not answer. */
  deadline: TimerHandle | undefined;
  /** Set from the first reliable provisional on (RFC 3262). */
  reliable: ReliableProvisionals | undefined;

  readonly method: string;

  constructor(
    readonly tx: ServerTransaction,
    readonly app: Application,
    /** Our tag, for responses outside a dialog; an application may choose another in its first response. */
    public localTag: string,
    /** The request came without a To tag. */
    readonly isInitial: boolean,
  ) {
    this.method = tx.request.method;
  }
}
