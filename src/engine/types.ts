import type { SipRequest, SipResponse } from '../sip/message.js';

/** Transports of RFC 3261 §18 and RFC 7118, in the spelling of a URI's `transport` parameter. */
export type Protocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** RFC 3261 §19.1.2, RFC 7118 §5.2.2 */
export const DEFAULT_PORTS: Readonly<Record<Protocol, number>> = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 80,
  wss: 443,
};

/** One connection (TCP and above) for as long as it lives; never used again after it closed. */
export type FlowId = number;

/** Where a message came from: the peer as seen on the socket, and the listener that took it. */
export interface Source {
  readonly protocol: Protocol;
  /** Peer's IP, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** Bound address and port of the listener. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Set for connection-oriented protocols. */
  readonly flow?: FlowId;
}

/** A resolved next hop. With `flow` the connection is used while it lives, then a new one to address and port. */
export interface Hop {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly flow?: FlowId;
  /** Behind a NAT or a browser: once the flow is gone there is no other way. */
  readonly flowOnly?: boolean;
  /** The host name that led here, in lower case; over TLS the peer must prove it (RFC 5922 §7). */
  readonly name?: string;
  /** Where else the request may go when this hop fails, best first (RFC 3263 §4.3). */
  readonly alternatives?: readonly Hop[];
  /** On a UDP hop: what carries requests too large for UDP (RFC 3261 §18.1.1); absent when UDP is the only way in. */
  readonly largeBy?: 'tcp';
  /** How long a new connection may take, milliseconds; default: the transport layer's limit. */
  readonly connectTimeoutMs?: number;
}

/**
 * Why a transaction has no end on the wire. `flow`: the one connection that could carry it is gone, and the peer cannot
 * be dialled (RFC 5626 §5.3.1).
 */
export type FailureReason = 'timeout' | 'transport' | 'flow';

/** Timers of RFC 3261 table 4; milliseconds. Tests shrink T1, never the relations between timers. */
export interface TimerSettings {
  readonly t1Ms: number;
  readonly t2Ms: number;
  readonly t4Ms: number;
  /** Timer C, for an INVITE with provisionals and no final (RFC 3261 §16.6 item 11: over 3 minutes). */
  readonly timerCMs: number;
}

/** RFC 3261 §17.1.1.1 and table 4. */
export const DEFAULT_TIMERS: TimerSettings = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000, timerCMs: 185_000 };

/** Server transaction (RFC 3261 §17.2, RFC 6026) as its user sees it. */
export interface ServerTransaction {
  /** Unique for the life of the engine; the wire's txnId. */
  readonly id: string;
  /** Once `answered`, no more than Request-URI, Via, From, To, Call-ID and CSeq. */
  readonly request: SipRequest;
  readonly source: Source;
  /** For a CANCEL: the INVITE transaction that it matches (RFC 3261 §9.2), if one is still there. */
  readonly cancels: ServerTransaction | undefined;
  /** True once a final response was given. */
  readonly answered: boolean;
  /** Whatever its user finds it by; nothing to the transaction. */
  userKey: string | undefined;
  /** The user may be set (once) after `onRequest`; events before that are kept for it. */
  user: ServerTransactionUser | undefined;
  /**
   * Sends a response. Retransmission of non-2xx finals is the transaction's; of 2xx to INVITE the caller's
   * (RFC 3261 §13.3.1.4), by calling this again with the same 2xx while the transaction is Accepted.
   * Returns false, sending nothing, when a final response was already given or the transaction is over.
   */
  respond(response: SipResponse): boolean;
  /**
   * Sends a 2xx of another branch behind a final response of another kind, as a proxy must (RFC 3261 §16.7 item 5);
   * nothing when the transaction is over.
   */
  passOn(response: SipResponse): void;
}

export interface ServerTransactionUser {
  /** Timer H fired (no ACK to a non-2xx final) or the response could not be sent. */
  onFailure(tx: ServerTransaction, reason: FailureReason): void;
  onTerminated(tx: ServerTransaction): void;
}

/** Client transaction (RFC 3261 §17.1, RFC 6026) as its user sees it. */
export interface ClientTransaction {
  readonly id: string;
  /** As put on the wire, Via with branch included; after the final response reduced as a server transaction's. */
  readonly request: SipRequest;
  readonly hop: Hop;
  /** Bytes of the request as sent. */
  readonly sizeBytes: number;
  /** Address and port of the socket the request left from. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Whether the peer was ever heard, be it with 100 Trying alone. */
  readonly hasResponse: boolean;
  /**
   * INVITE only: sends CANCEL with the INVITE's branch (RFC 3261 §9.1), at once after a provisional, else as soon
   * as one comes. Its own 200 is absorbed. `onFailure('timeout')` follows when no final comes within 64*T1.
   * Returns the CANCEL, or undefined when the INVITE has its final response.
   */
  cancel(extraHeaders: readonly { name: string; value: string }[]): SipRequest | undefined;
}

export interface ClientTransactionUser {
  /** A proxy: every provisional but 100 goes up, as often as it comes (RFC 3261 §16.7 item 5). */
  readonly wantsRepetitions?: boolean;
  /** INVITE only: the first provisional came, a 100 included. */
  onProceeding?(tx: ClientTransaction): void;
  /** Each provisional but 100 once per distinct message, the final once; 2xx of an INVITE each time (RFC 6026 §7.2). */
  onResponse(tx: ClientTransaction, response: SipResponse, source: Source): void;
  /** No final response: timers B, F or C, or the transport. Called at most once, and last but `onTerminated`. */
  onFailure(tx: ClientTransaction, reason: FailureReason): void;
  onTerminated(tx: ClientTransaction): void;
  /** The request goes to another target (RFC 3263 §4.3): `tx.request` and `tx.hop` are others now. */
  onRetarget?(tx: ClientTransaction): void;
}

/** What the transaction layer tells the core above it. */
export interface TransactionLayerUser {
  /** Whether the request belongs to a dialog that is there: such requests are taken in an overload too. */
  hasDialogOf?(request: SipRequest): boolean;
  /** A new request other than ACK. Retransmissions never come here. */
  onRequest(tx: ServerTransaction): void;
  /** An ACK that belongs to no non-2xx transaction: it acknowledges a 2xx (RFC 3261 §17.2.3, §13.3.1.4). */
  onAck(ack: SipRequest, source: Source): void;
  /** A response that matches no client transaction, e.g. a late 2xx of a forked INVITE. */
  onStrayResponse(response: SipResponse, source: Source): void;
}
