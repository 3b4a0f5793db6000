import type { TimerHandle } from '../../platform/clock.js';
import type { SipRequest, SipResponse } from '../../sip/message.js';
import type { ServerTransaction } from '../types.js';
import type { Application } from './application.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';

/** How long requests in the dialogs of a gone application with a tag wait for it to come back, milliseconds. */
export const HEIR_WAIT_MS = 20_000;
/** Requests that wait so at once; more are refused. */
const MAX_WAITING = 2000;
const LOOK_MS = 50;

/** What becomes of a request. Exactly one of the two is called, at once or later. */
export interface OrphanRequestUser {
  /** The dialog has an application again. */
  go(): void;
  refuse(): void;
}

interface Waiting {
  readonly tx: ServerTransaction;
  readonly dialog: CoreDialog;
  readonly user: OrphanRequestUser;
}

/**
 * Peers' requests in dialogs whose application is gone. An application with one of the same tags that asked for the method
 * inherits the dialog. None there yet, the request waits a little: call control may be starting anew this very moment.
 */
export class OrphanRequests {
  private waiting: Waiting[] = [];
  private timer: TimerHandle | undefined;

  constructor(private readonly ctx: CoreContext) {}

  /** Some wait: those that come to dialogs which have an application again go behind them. */
  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  take(tx: ServerTransaction, dialog: CoreDialog, user: OrphanRequestUser): void {
    if (dialog.app.connected || this.inherit(dialog, tx.request.method)) {
      if (this.isWaiting) this.look();
      if (dialog.dialog.state === 'terminated') user.refuse();
      else user.go();
    } else if (this.mayWait(dialog)) {
      this.waiting.push({ tx, dialog, user });
      this.schedule();
    } else user.refuse();
  }

  close(): void {
    this.ctx.clock.clearTimeout(this.timer);
    this.waiting = [];
  }

  private inherit(dialog: CoreDialog, method: string): boolean {
    for (const tag of dialog.app.tags) {
      const heir = this.ctx.applications.pick(method, tag);
      if (!heir) continue;
      dialog.app = heir;
      return true;
    }
    return false;
  }

  private mayWait({ app, orphanedAtMs }: CoreDialog): boolean {
    if (app.tags.size === 0 || orphanedAtMs === undefined || this.waiting.length >= MAX_WAITING) return false;
    return this.ctx.clock.monotonic() - orphanedAtMs < HEIR_WAIT_MS;
  }

  private schedule(): void {
    this.timer ??= this.ctx.clock.setTimeout(() => {
      this.timer = undefined;
      this.look();
    }, LOOK_MS);
  }

  private look(): void {
    const now = this.waiting;
    this.waiting = [];
    for (const entry of now) {
      const { tx, dialog, user } = entry;
      if (tx.answered) continue;
      if (dialog.dialog.state === 'terminated') user.refuse();
      else if (dialog.app.connected || this.inherit(dialog, tx.request.method)) user.go();
      else if (this.mayWait(dialog)) this.waiting.push(entry);
      else user.refuse();
    }
    if (this.waiting.length > 0) this.schedule();
  }
}

/** Stands in the place of an application that was connected to an engine before this one. */
export class GoneApplication implements Application {
  readonly connected = false;

  constructor(readonly tags: ReadonlySet<string>) {}

  deliverRequest(_request: SipRequest): void {}

  deliverResponse(_response: SipResponse): void {}

  deliverCallEvent(): void {}
}
