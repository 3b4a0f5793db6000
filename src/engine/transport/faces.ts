import type { Clock } from '../../platform/clock.js';
import type { Protocol } from '../types.js';
import type { Listener, SentBy } from './types.js';

/** Peers whose face is remembered, and for how long: a route of this machine may become another. */
const MAX_REMEMBERED = 4_096;
const REMEMBER_MS = 5_000;

/** By which listener a peer is reached, and what it knows us by there. */
export interface Face {
  readonly listener: Listener;
  readonly sentBy: SentBy;
}

/** The faces that we turned to peers lately: each message to a peer asks for it several times. */
export class Faces {
  private readonly known = new Map<Protocol, Map<string, Face>>();
  private count = 0;
  private sinceMs = 0;

  constructor(private readonly clock: Clock) {}

  find(protocol: Protocol, address: string): Face | undefined {
    if (this.count > 0 && this.clock.monotonic() - this.sinceMs > REMEMBER_MS) this.clear();
    return this.known.get(protocol)?.get(address);
  }

  remember(protocol: Protocol, address: string, face: Face): Face {
    if (this.count >= MAX_REMEMBERED) this.clear();
    if (this.count++ === 0) this.sinceMs = this.clock.monotonic();
    const byAddress = this.known.get(protocol);
    if (byAddress) byAddress.set(address, face);
    else this.known.set(protocol, new Map([[address, face]]));
    return face;
  }

  private clear(): void {
    this.known.clear();
    this.count = 0;
  }
}
