import type { MessageFacts } from '../core/application.js';
import type { Hop } from '../types.js';

/** What the one who gave the order hears; `done` and `refused` once, and nothing after either. */
export interface ProxyReport {
  /** A final response of a next hop as it came in. */
  onFinal(text: string, facts: MessageFacts): void;
  onDone(): void;
  onRefused(reason: string): void;
}

/** A next hop to be tried. */
export interface Target {
  /** Decides the next hop. */
  readonly uri: string;
  /** Request-URI to send. */
  readonly requestUri: string;
  /** How many redirects led here. */
  readonly depth: number;
  /** How near to this machine (see CoreContext.nearness) the hop may be; undefined for one that we are told to trust. */
  readonly nearest: number | undefined;
  /** The next hop, where it is known already. */
  readonly hop?: Hop;
}
