import type { SipRequest } from '../../sip/message.js';
import { serializeText } from '../../sip/serialize.js';
import { type MessageFacts, UNSOLICITED } from './application.js';
import type { StopReason } from './call-events.js';
import { SILENT_USER } from './client-dialogs.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import type { DialogCloser } from './dialog-closer.js';
import { findHop } from './hop-finder.js';
import { requestFacts } from './sent-facts.js';

/** Of a BYE that could not be sent. */
const UNSENT: MessageFacts = { origin: 'application', sizeBytes: 0, protocol: 'udp', address: '', port: 0 };

/** Ends dialogs in the engine's own name (RFC 3261 §15) and tells their applications why. */
export class DialogEnder {
  constructor(
    private readonly ctx: CoreContext,
    private readonly closer: DialogCloser,
  ) {}

  /** `reason` is the text that applications know the cause by. */
  end(dialog: CoreDialog, reason: string): void {
    this.closer.close(dialog);
    if (dialog.dialog.peer.target === undefined) return;
    const bye = dialog.dialog.createRequest('BYE').append('Reason', `SIP;cause=200;text="${reason}"`);
    findHop(this.ctx, () => dialog.nextHop(this.ctx)!, {
      found: (hop) => {
        const tx = this.ctx.createClient(bye, hop, SILENT_USER);
        this.tell(dialog, bye, reason, requestFacts(tx, bye.wireText ?? serializeText(bye)));
      },
      unresolved: () => this.tell(dialog, bye, reason, UNSENT),
      refused: () => this.tell(dialog, bye, reason, UNSENT),
    });
  }

  private tell(dialog: CoreDialog, bye: SipRequest, reason: string, facts: MessageFacts): void {
    dialog.app.deliverRequest(bye, facts, UNSOLICITED, dialog.wireId);
    if (dialog.usage === 'invite') this.ctx.callEvents.stop('application', stopReasonOf(reason), bye);
  }
}

/** The reason in a call event for one of the engine's own reasons to send BYE. */
function stopReasonOf(reason: string): StopReason {
  if (reason === 'Session timer expired') return 'session-expired';
  return reason === 'ACK timeout' ? 'system-error-initiated-termination' : 'system-initiated-termination';
}
