import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfResponse } from '../signalling/srf-types.js';

/** How long the sender of a REFER is told about it at most, seconds. */
const EXPIRES_SEC = 300;

/** Where the sender of a REFER is told: a leg of a call, or a dialog that is of the REFER alone. */
export interface ReferDialogHolder {
  readonly dialog:
    | { request(method: string, headers: OutgoingHeaders, body: string): Promise<SrfResponse> }
    | undefined;
}

/** What the sender of a REFER hears of it: NOTIFY with the status line of the call in its place (RFC 3515 §2.4.4, §2.4.5). */
export class ReferSubscription {
  private isOver = false;

  /** `id` is the CSeq of the REFER when the dialog had one before (RFC 3515 §2.4.6). */
  constructor(
    private readonly leg: ReferDialogHolder,
    private readonly isWanted: boolean,
    private readonly id: number | undefined,
  ) {}

  progress(status: number, reason: string): void {
    if (!this.isOver) void this.notify(`active;expires=${EXPIRES_SEC}`, status, reason);
  }

  /** The outcome, and the end of the subscription. Resolves when the phone has answered; never rejects. */
  async final(status: number, reason: string): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    await this.notify('terminated;reason=noresource', status, reason);
  }

  private async notify(state: string, status: number, reason: string): Promise<void> {
    if (!this.isWanted) return;
    const headers = {
      Event: this.id === undefined ? 'refer' : `refer;id=${this.id}`,
      'Subscription-State': state,
      'Content-Type': 'message/sipfrag;version=2.0',
    };
    try {
      const answer = await this.leg.dialog?.request('NOTIFY', headers, `SIP/2.0 ${status} ${reason}\r\n`);
      // RFC 6665 §4.2.2: nobody listens any more.
      if (answer?.status === 481) this.isOver = true;
    } catch {
      // A phone that does not hear of it is no reason to stop.
    }
  }
}
