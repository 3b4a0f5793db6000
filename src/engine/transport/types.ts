import type { Clock } from '../../platform/clock.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import type { SipParseError } from '../../sip/errors.js';
import type { SipMessage } from '../../sip/message.js';
import type { Via } from '../../sip/via.js';
import type { FlowId, Hop, Protocol, Source } from '../types.js';
import type { BlockedSources } from './blocked-sources.js';
import type { TransportCounters } from './counters.js';
import type { TransportError } from './errors.js';
import type { TransportLimits } from './limits.js';
import type { SourceAdmission } from './source-admission.js';
import type { TlsCredentials } from './tls/tls-credentials.js';

/** Where to listen. Port 0 lets the system choose; an IPv6 wildcard (`::`) takes no IPv4. */
export interface ListenerSpec {
  readonly protocol: Protocol;
  /** IP literal, IPv6 without brackets; `0.0.0.0` or `::` for all addresses of the family. */
  readonly address: string;
  readonly port: number;
}

/** A listener that is up: `port` is the real one. */
export interface BoundListener extends ListenerSpec {
  readonly family: 4 | 6;
}

/** What we write into Via and Contact: an address that the peer can reach us at. */
export interface SentBy {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Sees a message as it is on the wire, a char for each octet: one that was sent, or that came and could be parsed. */
export type WireTap = (
  text: string,
  sent: boolean,
  peer: { readonly protocol: Protocol; readonly address: string; readonly port: number },
  local: { readonly address: string; readonly port: number },
) => void;

/** Told, at most once for each send and never before `send` has returned, that the bytes did not arrive. */
export interface SendFailureListener {
  onSendFailure(error: TransportError): void;
}

/** The way to one next hop: everything a client transaction must know before it can write its Via. */
export interface Outlet {
  readonly hop: Hop;
  readonly listener: BoundListener;
  /** No retransmission above it (RFC 3261 §17). */
  readonly reliable: boolean;
  /** For the top Via (RFC 3261 §18.1.1). */
  readonly sentBy: SentBy;
  /** Sends a request, opening a connection when there is none. Never throws. */
  send(bytes: Buffer, failure?: SendFailureListener): void;
}

/** What the transaction layer needs of the transport layer; tests stand in for it. */
export interface MessageTransport {
  /** Takes every message that passed RFC 3261 §18.1.2 and §18.2.1; set by the layer above. */
  onMessage: (message: SipMessage, source: Source) => void;
  /** Throws TransportError `NO_LISTENER` when no listener speaks the hop's protocol and address family. */
  outlet(hop: Hop): Outlet;
  /** Sends a response where RFC 3261 §18.2.2 and RFC 3581 §4 say; `topVia` is the request's. Never throws. */
  respond(bytes: Buffer, source: Source, topVia: Via | undefined, failure?: SendFailureListener): void;
}

/** The places that a request's Via names for its response, best first. Rejects when there are none. */
export type ResponseFinder = (source: Source, topVia: Via) => Promise<readonly Hop[]>;

/** What the listeners of one transport layer share. */
export interface ListenerContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: TransportLimits;
  readonly counters: TransportCounters;
  /** Peers that are not heard at all; asked first. */
  readonly blocked: BlockedSources;
  /** Asked before anything of a peer is parsed; undefined takes everything. */
  readonly admission?: SourceAdmission | undefined;
  /** Certificates for TLS; throws TransportError `LISTEN_FAILED` when there are none. */
  credentials(): TlsCredentials;
  /** Pages that may open a WebSocket, by Origin; undefined for all (RFC 6455 §10.2). */
  readonly origins: readonly string[] | undefined;
  /** Where else a response may go (RFC 3263 §5); undefined when nobody looks that up. */
  readonly findForResponse?: ResponseFinder | undefined;
  nextFlow(): FlowId;
  /** A whole message from the wire. */
  accept(message: SipMessage, source: Source): void;
  /** Bytes that are no message; returns the response they deserve, if any. */
  reject(error: SipParseError, source: Source): Buffer | undefined;
}

/** One socket address and protocol. A new protocol is one class of this shape and a line in `create-listener.ts`. */
export interface Listener extends Closeable {
  readonly bound: BoundListener;
  readonly reliable: boolean;
  /** Open connections, those still being made included; 0 for UDP. */
  readonly connectionCount: number;
  /** Rejects with TransportError `LISTEN_FAILED`. */
  start(): Promise<void>;
  /** Whether that connection is here and usable. */
  hasFlow?(flow: FlowId): boolean;
  /** Closes connections with peers that are blocked. */
  dropBlocked?(): void;
  /** A peer asks that requests to its sent-by come down the connection of its request (RFC 5923 §7.2). */
  alias?(source: Source, topVia: Via): void;
  sendRequest(bytes: Buffer, hop: Hop, failure?: SendFailureListener): void;
  sendResponse(bytes: Buffer, source: Source, topVia: Via | undefined, failure?: SendFailureListener): void;
}
