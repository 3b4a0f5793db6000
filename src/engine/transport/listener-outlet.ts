import type { Hop } from '../types.js';
import type { BoundListener, Listener, Outlet, SendFailureListener, SentBy } from './types.js';

/** The way to a next hop through one listener. */
export class ListenerOutlet implements Outlet {
  readonly reliable: boolean;

  constructor(
    readonly hop: Hop,
    readonly sentBy: SentBy,
    private readonly through: Listener,
  ) {
    this.reliable = through.reliable;
  }

  get listener(): BoundListener {
    return this.through.bound;
  }

  send(bytes: Buffer, failure?: SendFailureListener): void {
    this.through.sendRequest(bytes, this.hop, failure);
  }
}
