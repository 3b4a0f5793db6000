import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import { reply } from './own-replies.js';
import type { PendingRequests } from './pending-requests.js';

/** Ends dialogs: the one place where all that is open in one is settled. */
export class DialogCloser {
  constructor(
    private readonly ctx: CoreContext,
    private readonly pending: PendingRequests,
  ) {}

  /** Takes a dialog out of the table; the peer's open INVITE and UPDATE get 487, our open re-INVITE its application's. */
  close(dialog: CoreDialog): void {
    this.ctx.dialogs.remove(dialog);
    this.ctx.keeper.ended(dialog);
    dialog.dialog.state = 'terminated';
    const { answered } = dialog;
    answered?.stop();
    dialog.answered = undefined;
    dialog.session?.stop();
    answered?.release();
    // RFC 3261 §15.1.2
    for (const pending of [dialog.peerInvite, dialog.peerUpdate])
      if (pending && this.pending.finish(pending)) reply(pending.tx, 487, pending.localTag);
    this.settleOwnInvite(dialog);
    dialog.letGo();
  }

  /** Gives up our re-INVITE and tells its application so, whatever the peer still says to it. */
  settleOwnInvite(dialog: CoreDialog): void {
    const invite = dialog.ownInvite;
    if (!invite || invite.isInitial) return;
    dialog.ownInvite = undefined;
    invite.tx?.cancel([]);
    invite.fail(487, 'Request Terminated');
  }
}
