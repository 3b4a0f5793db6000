/** One SIP message as it was on the wire. */
export interface WireMessage {
  /** Wall time, milliseconds. */
  readonly at: number;
  /** Monotonic milliseconds. */
  readonly mono: number;
  /** By us. */
  readonly sent: boolean;
  readonly protocol: string;
  /** `address:port`, ours and the peer's. */
  readonly local: string;
  readonly peer: string;
  readonly callId: string;
  /** Latin1; what nobody may see is masked already. */
  readonly text: string;
}

/** Which messages to keep; nothing given: all. A Call-ID of which one message fits is followed from there on. */
export interface TraceFilter {
  readonly callIds?: readonly string[];
  readonly user?: string;
  readonly address?: string;
}

export interface TraceState {
  readonly active: boolean;
  readonly filter: TraceFilter;
  readonly kept: number;
  /** Messages that gave way to newer ones. */
  readonly lost: number;
}

/** Where messages of the wire are kept while an operator wants to see them. */
export interface TraceService {
  /** Begins anew: what was kept is gone. */
  start(filter: TraceFilter): Promise<TraceState>;
  /** Keeps no more; what is there can still be read. */
  stop(): Promise<TraceState>;
  /** In the order of the wire. */
  read(): Promise<{ readonly state: TraceState; readonly messages: readonly WireMessage[] }>;
}
