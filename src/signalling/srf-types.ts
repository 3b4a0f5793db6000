import { createRequire } from 'node:module';

/**
 * What we use of drachtio-srf 5, typed by what its code does: its own declarations cover a part only and are wrong in
 * places. The cast from the untyped package to these types happens in this file and nowhere else.
 */

/** Header values by name. srf joins the values of equal names with a comma; names are lower case save X- and P-. */
export type SrfHeaders = Record<string, string>;

/** What requests and responses have in common. Text is UTF-8. */
export interface SrfMessage {
  readonly headers: SrfHeaders;
  /** Empty or undefined without a body. */
  readonly body: string | undefined;
  readonly raw: string;
  /** A header's value, several of the same name joined with commas. Use `header()`, which is faster and knows compact names. */
  get(name: string): string | undefined;
  has(name: string): boolean;
}

/** Where a message came from, as the engine saw it; on messages of ours, where it went. */
export interface SrfMeta {
  readonly source: 'network' | 'application';
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  /** Id of the SIP transaction in the engine. */
  readonly stackTxnId: string;
  /** Id of the dialog in the engine; empty or undefined outside a dialog. */
  readonly stackDialogId: string | undefined;
}

/** A request: received, or the echo of one that was sent. */
export interface SrfRequest extends SrfMessage, SrfMeta {
  readonly method: string;
  readonly uri: string;
  readonly res: SrfResponse;
  /** `address:port` of the listener that took a request outside a dialog. */
  readonly receivedOn: string | undefined;
  /** INVITE received only: the caller gave up. The engine has answered CANCEL and sends the 487 for the INVITE. */
  on(event: 'cancel', listener: (cancel: SrfMessage) => void): this;
  /** INVITE received only: UPDATE in the early dialog. Without a listener srf answers 500. */
  on(event: 'update', listener: (req: SrfRequest, res: SrfResponse) => void): this;
  /** Request sent: each provisional and final response; `ack` sends ACK, or PRACK for a reliable provisional. */
  on(event: 'response', listener: (res: SrfResponse, ack: SrfAck) => void): this;
  removeAllListeners(event?: string): this;
  /** Request sent: sends CANCEL. Calls back with an error when the engine refuses. */
  cancel(
    options: { headers?: SrfHeaders },
    callback?: (error: Error | null, cancel?: SrfRequest) => void,
  ): void;
}

export type SrfAck = (options?: { headers?: SrfHeaders; body?: string }) => void;

export interface SrfSendOptions {
  headers?: SrfHeaders;
  body?: string;
}

/** A response: received, or the one to be sent for a request that was received. */
export interface SrfResponse extends SrfMessage, SrfMeta {
  readonly status: number;
  readonly reason: string;
  readonly req: SrfRequest;
  readonly finalResponseSent: boolean;
  /**
   * Sends a response. Throws for a status that srf does not list; calls back with an Error or a string when the engine
   * refused. `onAck` gets the ACK of a 200 or the PRACK of a reliable provisional. Prefer `respond()`.
   */
  send(
    status: number,
    reason: string | undefined,
    options: SrfSendOptions,
    callback?: (error: unknown, sent?: SrfMessage) => void,
    onAck?: (ack: SrfRequest) => void,
  ): void;
}

/** Requests that a dialog passes on with their response; srf answers 200 itself when nobody listens. */
export type SrfDialogRequestEvent =
  | 'modify'
  | 'info'
  | 'notify'
  | 'options'
  | 'message'
  | 'refer'
  | 'update'
  | 'publish';

/** A confirmed dialog. */
export interface SrfDialog {
  /** The engine's dialog id. */
  readonly id: string;
  readonly type: 'uas' | 'uac';
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { uri: string; sdp: string; contact: string };
  readonly remote: { uri: string; sdp: string };
  readonly req: SrfRequest;
  readonly res: SrfResponse;
  readonly connected: boolean;
  onHold: boolean;
  on(event: SrfDialogRequestEvent, listener: (req: SrfRequest, res: SrfResponse) => void): this;
  /** The other side ended the dialog, or the engine did: then `reason` says why (`ACK timeout`, `Session timer expired`). */
  on(event: 'destroy', listener: (bye: SrfRequest, reason: string) => void): this;
  on(event: 'ack', listener: (ack: SrfRequest) => void): this;
  removeAllListeners(event?: string): this;
  /** Sends BYE; settles when any response came, or rejects when the engine refused. */
  destroy(options?: { headers?: SrfHeaders }): Promise<SrfRequest>;
  /** Sends a re-INVITE; resolves the answer's SDP. With `noAck` and no SDP resolves the offer and the function that ACKs it. */
  modify(sdp: string, options?: { headers?: SrfHeaders }): Promise<string>;
  modify(options: {
    noAck: true;
    headers?: SrfHeaders;
  }): Promise<{ sdp: string; ack: (sdp: string) => void } | string>;
  /** Sends any request in the dialog; resolves its final or provisional response. */
  request(options: { method: string; headers?: SrfHeaders; body?: string }): Promise<SrfResponse>;
}

export interface SrfUacOptions {
  /** Next hop; the Request-URI stays as it is. */
  proxy?: string;
  headers?: SrfHeaders;
  localSdp?: string;
  method?: 'INVITE' | 'SUBSCRIBE';
  noAck?: boolean;
  followRedirects?: boolean;
}

export interface SrfUacProgress {
  /** The engine took the request (it may be cancelled from now on), or refused it. */
  cbRequest?: (error: Error | null, req?: SrfRequest) => void;
  cbProvisional?: (res: SrfResponse) => void;
}

export interface SrfUasOptions {
  headers?: SrfHeaders;
  localSdp?: string;
}

export interface SrfRequestOptions {
  uri: string;
  method: string;
  headers?: SrfHeaders;
  body?: string;
  proxy?: string;
}

export type SrfHandler = (req: SrfRequest, res: SrfResponse) => void;

export interface SrfConnectOptions {
  host: string;
  port: number;
  secret: string;
  tls?: object;
  enablePing?: boolean;
  pingInterval?: number;
  reconnect?: { maxAttempts?: number; retryMaxDelay?: number };
}

/** The framework object: one per connection to an engine. */
export interface SrfEngine {
  /** `error` is set when the engine refused the secret. */
  on(
    event: 'connect',
    listener: (error: Error | null, hostports?: string, version?: string, localHostports?: string) => void,
  ): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'close', listener: () => void): this;
  removeAllListeners(event?: string): this;
  connect(options: SrfConnectOptions): unknown;
  disconnect(): void;
  /** Has requests of a method (lower case, any token) routed here. Call once for a method; `method` need not be known to srf. */
  use(method: string, handler: (req: SrfRequest, res: SrfResponse, next: () => void) => void): unknown;
  createUAS(req: SrfRequest, res: SrfResponse, options: SrfUasOptions): Promise<SrfDialog>;
  /** Rejects with an SrfSipError for a final response that is no success. */
  createUAC(uri: string, options: SrfUacOptions, progress?: SrfUacProgress): Promise<SrfDialog>;
  /** Sends a request outside a dialog; `response` events come on the request called back. */
  request(options: SrfRequestOptions, callback: (error: Error | null, req?: SrfRequest) => void): void;
  findDialogById(id: string): SrfDialog | undefined;
  /** srf's insides: what waits on each connection to an engine. Read for figures only. */
  readonly _app?: { readonly client?: { readonly mapServer?: ReadonlyMap<unknown, SrfLine> } };
}

/** What srf keeps for one connection; entries stay until their answer comes. */
export interface SrfLine {
  readonly pendingRequests: { readonly size: number };
  readonly pendingSipRequests: { readonly size: number };
  readonly pendingNetworkInvites: { readonly size: number };
  readonly pendingAckOrPrack: { readonly size: number };
}

/** A final response that is no success, as srf throws it. */
export interface SrfSipError extends Error {
  readonly status: number;
  readonly reason?: string;
  readonly res?: SrfResponse;
}

/** True for the error by which srf reports a final response that is no success. */
export function isSipError(error: unknown): error is SrfSipError {
  return error instanceof Error && error.name === 'SipError' && 'status' in error;
}

/** Makes an unconnected framework object. `tags` are what it calls itself to the engine. */
export function createSrf(tags: readonly string[] = []): SrfEngine {
  const Srf = createRequire(import.meta.url)('drachtio-srf') as new (tags: readonly string[]) => SrfEngine;
  return new Srf(tags);
}

/** A request as srf hands it to a handler, from its text; it belongs to no connection. */
export function createRequest(
  text: string,
  from: { readonly protocol: string; readonly address: string; readonly port: number },
): SrfRequest {
  const load = createRequire(import.meta.url);
  const Message = load('drachtio-srf/lib/sip-parser/message') as new (text: string) => SrfMessage;
  const Request = load('drachtio-srf/lib/request') as new (message: SrfMessage, meta: object) => SrfRequest;
  const { protocol, address, port } = from;
  const meta = { source: 'network', protocol, address, port: String(port), transactionId: '', dialogId: '' };
  return new Request(new Message(text), meta);
}
