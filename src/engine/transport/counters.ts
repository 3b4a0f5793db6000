/** What the transport layer counts since start; the fields only grow. */
export interface TransportCounters {
  requestsReceived: number;
  responsesReceived: number;
  messagesSent: number;
  /** Datagrams or connections that held no SIP message. */
  parseErrors: number;
  /** 400 and 505 sent for them. */
  errorResponses: number;
  /** RFC 3261 §18.2.1: no usable top Via, or one that names another transport. */
  viaDropped: number;
  /** RFC 3261 §18.1.2, §8.1.3.3: responses whose only Via is not ours. */
  foreignResponsesDropped: number;
  keepAlives: number;
  /** Datagrams and connections of sources that sent more than admission lets them. */
  admissionDropped: number;
  /** Datagrams and connections of sources that are blocked. */
  blockedDropped: number;
  /** Times a connection of such a source was left unread for a while. */
  admissionPauses: number;
  sendFailures: number;
  /** ICMP port unreachable for a request over UDP. */
  udpRefusals: number;
  connectionsAccepted: number;
  connectionsOpened: number;
  connectionsRefused: number;
  /** Over the limit of one source. */
  connectionsRefusedBySource: number;
  tlsHandshakeFailures: number;
  /** HTTP requests on a WebSocket port that did not become one (RFC 7118 §4). */
  webSocketsRefused: number;
  /** TLS or WebSocket handshakes that took too long. */
  handshakeTimeouts: number;
  certificateReloads: number;
  certificateReloadFailures: number;
  connectFailures: number;
  idleClosed: number;
  slowSendersClosed: number;
  slowReadersClosed: number;
}

export function createTransportCounters(): TransportCounters {
  return {
    requestsReceived: 0,
    responsesReceived: 0,
    messagesSent: 0,
    parseErrors: 0,
    errorResponses: 0,
    viaDropped: 0,
    foreignResponsesDropped: 0,
    keepAlives: 0,
    admissionDropped: 0,
    blockedDropped: 0,
    admissionPauses: 0,
    sendFailures: 0,
    udpRefusals: 0,
    connectionsAccepted: 0,
    connectionsOpened: 0,
    connectionsRefused: 0,
    connectionsRefusedBySource: 0,
    tlsHandshakeFailures: 0,
    webSocketsRefused: 0,
    handshakeTimeouts: 0,
    certificateReloads: 0,
    certificateReloadFailures: 0,
    connectFailures: 0,
    idleClosed: 0,
    slowSendersClosed: 0,
    slowReadersClosed: 0,
  };
}
