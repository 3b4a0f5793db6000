import type { HeaderField } from '../../sip/message.js';
import type { MessageFacts } from '../core/application.js';

/** What an application wants done with a request. */
export interface ProxyOrder {
  /** URIs of next hops, best first. */
  readonly destinations: readonly string[];
  /** To be added to the request; only what an application may set. */
  readonly headers: readonly HeaderField[];
  /** Later requests of the dialog come this way too (RFC 3261 §16.6 item 4); for a REGISTER: Path (RFC 3327). */
  readonly recordRoute: boolean;
  /** Contacts of a 3xx are tried (RFC 3261 §16.7 item 4). */
  readonly followRedirects: boolean;
  /** All destinations at once, rather than one after the other. */
  readonly simultaneous: boolean;
  /** How long an INVITE may go without any provisional, before the next destination is tried; milliseconds. */
  readonly provisionalTimeoutMs: number | undefined;
  /** The same for the final response; the branch is cancelled. */
  readonly finalTimeoutMs: number | undefined;
}

/** What the one who gave the order hears; `done` and `refused` once, and nothing after either. */
export interface ProxyReport {
  /** A final response of a next hop as it came in. */
  onFinal(bytes: Buffer, facts: MessageFacts): void;
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
}
