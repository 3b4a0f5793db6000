/** Bounds on what peers can make the transport layer hold or do. Times in milliseconds. */
export interface TransportLimits {
  /** Open connections of one listener, both directions; over it new ones are refused. */
  readonly maxConnections: number;
  /** Accepted connections of one address, of one /64 for IPv6; 0 for no limit. Many phones may share a NAT. */
  readonly maxConnectionsPerSource: number;
  /** Bytes accepted for sending that the peer has not taken yet; over it the connection is closed. */
  readonly maxPendingBytes: number;
  /** From the first try to the established connection. */
  readonly connectTimeoutMs: number;
  /** For an accepted connection to finish TLS and the upgrade to WebSocket, both together. */
  readonly handshakeTimeoutMs: number;
  /** Silence after which a WebSocket peer is asked whether it is there (RFC 7118 §6). */
  readonly pingIntervalMs: number;
  /** Silence in both directions after which a connection is closed. Above the longest usual registration. */
  readonly idleTimeoutMs: number;
  /** For an accepted connection to bring its first whole message. */
  readonly firstMessageTimeoutMs: number;
  /** For a begun message to become whole (slow-loris bound). */
  readonly partialMessageTimeoutMs: number;
  /** How often the times above are looked at. */
  readonly sweepIntervalMs: number;
  /** Connected UDP sockets kept to learn of refusals; hops over it are sent to without. */
  readonly maxUdpPeers: number;
  /** Silence after which a connected UDP socket is given back. */
  readonly udpPeerIdleMs: number;
  /** 400s and 505s sent by the transport layer in a second; over it malformed requests are dropped. */
  readonly maxErrorResponsesPerSecond: number;
}

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  maxConnections: 12_000,
  maxConnectionsPerSource: 1_000,
  maxPendingBytes: 1024 * 1024,
  connectTimeoutMs: 5_000,
  handshakeTimeoutMs: 10_000,
  pingIntervalMs: 30_000,
  idleTimeoutMs: 2 * 3_600_000,
  firstMessageTimeoutMs: 32_000,
  partialMessageTimeoutMs: 10_000,
  sweepIntervalMs: 1_000,
  maxUdpPeers: 128,
  udpPeerIdleMs: 30_000,
  maxErrorResponsesPerSecond: 200,
};

/** Asked of the kernel for each UDP socket; it may grant less (net.core.rmem_max). */
export const UDP_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
