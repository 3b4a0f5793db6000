import type { Hop } from '../types.js';
import type { BoundListener, Listener, Outlet, SendFailureListener, SentBy } from './types.js';
import type { WireWatch } from './wire-watch.js';

/** The way to a next hop through one listener. */
export class ListenerOutlet implements Outlet {
  readonly reliable: boolean;

  constructor(
    readonly hop: Hop,
    readonly sentBy: SentBy,
    private readonly through: Listener,
    private readonly watch: WireWatch,
  ) {
    this.reliable = through.reliable;
  }

  get listener(): BoundListener {
    return this.through.bound;
  }

  send(bytes: Buffer, failure?: SendFailureListener): void {
    this.watch.sentRequest(bytes, this.hop, this.through.bound);
    this.through.sendRequest(bytes, this.hop, failure);
  }
}
