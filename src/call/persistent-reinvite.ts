import type { Clock, TimerHandle } from '../platform/clock.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfAck, SrfResponse } from '../signalling/srf-types.js';
import type { ClientRequest } from './client-request.js';
import { glareDelayMs } from './glare.js';
import type { LegDialog } from './leg-dialog.js';

/** A re-INVITE that crossed the phone's own is sent so often. */
const MAX_TRIES = 4;

export interface PersistentReinviteUser {
  /** The offer of the next try, undefined to ask for one; sessions may have moved on meanwhile. */
  offer(): Promise<string | undefined>;
  /** Whether to try again after 491; yes when absent. */
  mayRepeat?(): boolean;
  /** The final response of the last try. A 2xx must be acknowledged. */
  onFinal(res: SrfResponse, ack: SrfAck): void;
  /** NoResponseError when the phone said nothing, else what `offer` failed by. */
  onFailure(error: Error): void;
}

/** A re-INVITE of ours that is made again after 491, which says that the phone's own crossed it (RFC 3261 §14.1). */
export class PersistentReinvite {
  private tries = 0;
  private isStopped = false;
  private client: ClientRequest | undefined;
  private timer: TimerHandle | undefined;

  constructor(
    private readonly dialog: LegDialog,
    private readonly clock: Clock,
    private readonly headers: OutgoingHeaders,
    private readonly user: PersistentReinviteUser,
  ) {
    this.send();
  }

  /** No more tries; what is open is cancelled, and its final response still told. */
  stop(): void {
    this.isStopped = true;
    this.clock.clearTimeout(this.timer);
    this.client?.cancel();
  }

  private send(): void {
    const { dialog, user, headers } = this;
    this.tries++;
    user
      .offer()
      .then((sdp) => {
        if (this.isStopped) return;
        this.client = dialog.reinvite(headers, sdp, {
          onFinal: (res, ack) => this.onFinal(res, ack),
          onFailure: (error) => user.onFailure(error),
        });
      })
      .catch((error: Error) => user.onFailure(error));
  }

  private onFinal(res: SrfResponse, ack: SrfAck): void {
    const { dialog, user } = this;
    const isAgain = res.status === 491 && this.tries < MAX_TRIES && !this.isStopped;
    if (isAgain && (user.mayRepeat?.() ?? true))
      this.timer = this.clock.setTimeout(() => this.send(), glareDelayMs(dialog));
    else user.onFinal(res, ack);
  }
}
