import type { Hop } from '../types.js';
import type { TransportError } from './errors.js';
import type { SendFailureListener } from './types.js';

/**
 * Sends a response on when the address that its request came from takes no connection (RFC 3261 §18.2.2): to each of the
 * places that its Via names in turn (RFC 3263 §5). A response that left on a connection is not sent again.
 */
export class ResponseFallback implements SendFailureListener {
  private left: Hop[] | undefined;

  constructor(
    private readonly find: () => Promise<readonly Hop[]>,
    private readonly send: (hop: Hop, failure: SendFailureListener) => void,
    private readonly failure: SendFailureListener | undefined,
  ) {}

  onSendFailure(error: TransportError): void {
    const isUnsent = error.code === 'CONNECT_FAILED' || error.code === 'CONNECT_TIMEOUT';
    if (!isUnsent) this.failure?.onSendFailure(error);
    else if (this.left) this.sendNext(error);
    else
      this.find().then(
        (hops) => {
          this.left = [...hops];
          this.sendNext(error);
        },
        () => this.failure?.onSendFailure(error),
      );
  }

  private sendNext(error: TransportError): void {
    const hop = this.left?.shift();
    if (hop) this.send(hop, this);
    else this.failure?.onSendFailure(error);
  }
}
