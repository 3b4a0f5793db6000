/** What the core counts since start; the fields only grow. */
export interface CoreCounters {
  requestsDelivered: number;
  responsesDelivered: number;
  requestsSent: number;
  responsesSent: number;
  /** Answered by the screen, before any application was asked. */
  screened: number;
  /** 503: no application wanted the request. */
  withoutApplication: number;
  /** 481: no dialog or transaction. */
  outsideDialog: number;
  /** 482 (RFC 3261 §8.2.2.2). */
  mergedRequests: number;
  dialogsCreated: number;
  /** Next hops on this machine that a peer from elsewhere named. */
  hopsRefused: number;
  ackTimeouts: number;
  retransmitted2xx: number;
  unanswered: number;
  /** Requests that went on to another target of their next hop's name (RFC 3263 §4.3). */
  failovers: number;
  /** Requests that were tried over TCP for their size (RFC 3261 §18.1.1). */
  largeByTcp: number;
}

export function createCoreCounters(): CoreCounters {
  return {
    requestsDelivered: 0,
    responsesDelivered: 0,
    requestsSent: 0,
    responsesSent: 0,
    screened: 0,
    withoutApplication: 0,
    outsideDialog: 0,
    mergedRequests: 0,
    dialogsCreated: 0,
    hopsRefused: 0,
    ackTimeouts: 0,
    retransmitted2xx: 0,
    unanswered: 0,
    failovers: 0,
    largeByTcp: 0,
  };
}
