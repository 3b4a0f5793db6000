import type { Clock } from '../../platform/clock.js';
import { ClosedError } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import type { SipParseError } from '../../sip/errors.js';
import type { SipMessage } from '../../sip/message.js';
import type { Via } from '../../sip/via.js';
import type { FlowId, Hop, Protocol, Source } from '../types.js';
import { type BlockChange, BlockedSources } from './blocked-sources.js';
import { createTransportCounters, type TransportCounters } from './counters.js';
import { createListener } from './create-listener.js';
import { TransportError } from './errors.js';
import { type Face, Faces } from './faces.js';
import { DEFAULT_TRANSPORT_LIMITS, type TransportLimits } from './limits.js';
import { ListenerOutlet } from './listener-outlet.js';
import { LocalAddressFinder } from './local-address.js';
import { isFrom, OwnSentBys } from './message-gate.js';
import { parseFailureResponse } from './parse-failure.js';
import { isWildcard, selectListener } from './select-listener.js';
import { type AdmissionSettings, SourceAdmission } from './source-admission.js';
import { TlsCredentials } from './tls/tls-credentials.js';
import { opensslLine, type TlsSettings } from './tls/tls-settings.js';
import type {
  BoundListener,
  Listener,
  ListenerContext,
  ListenerSpec,
  MessageTransport,
  Outlet,
  ResponseFinder,
  SendFailureListener,
  SentBy,
} from './types.js';
import { markSource } from './via-source.js';
import { WireWatch } from './wire-watch.js';

export interface TransportLayerOptions {
  readonly listeners: readonly ListenerSpec[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<TransportLimits>;
  /** Default: every source may send as much as it likes. */
  readonly admission?: AdmissionSettings;
  /** To read the counts from elsewhere; else see `counters`. */
  readonly counters?: TransportCounters;
  /** Certificates of `tls` and `wss` listeners, and of TLS connections that they open. */
  readonly tls?: TlsSettings;
  /** Pages that may open a WebSocket, by Origin (`https://phone.example`); default all. */
  readonly origins?: readonly string[];
  /** IP addresses and networks (CIDR) whose messages are dropped; default none. */
  readonly blocked?: readonly string[];
  /** Finds where a response goes that cannot go back where its request came from. */
  readonly findForResponse?: ResponseFinder;
  /** The address peers should see instead of the bound one, e.g. for those outside a NAT; undefined for no other. */
  readonly advertise?: (listener: BoundListener, peerAddress: string) => SentBy | undefined;
}

/** All sockets of the engine (RFC 3261 §18): bytes in, messages out, and back. */
export class TransportLayer implements MessageTransport, Closeable {
  readonly counters: TransportCounters;
  onMessage: (message: SipMessage, source: Source) => void = () => {};
  /** Told of bytes that are no message, after they were counted and answered when an answer is due. */
  onParseError: (error: SipParseError, source: Source) => void = () => {};

  /** Counts messages, and shows them to whoever wants to see them. */
  readonly watch = new WireWatch();
  /** Sources that are not heard. */
  readonly blocked: BlockedSources;
  private readonly limits: TransportLimits;
  private readonly listeners: Listener[] = [];
  private readonly ownSentBys = new OwnSentBys();
  private readonly localAddresses: LocalAddressFinder;
  private readonly faces: Faces;
  private readonly admission: SourceAdmission | undefined;
  private readonly credentials: TlsCredentials | undefined;
  private lastFlow = 0;
  private errorResponses = { secondMs: 0, count: 0 };
  private closing: Promise<void> | undefined;

  constructor(private readonly options: TransportLayerOptions) {
    this.counters = options.counters ?? createTransportCounters();
    this.limits = { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits };
    this.localAddresses = new LocalAddressFinder(options.clock);
    this.faces = new Faces(options.clock);
    this.blocked = new BlockedSources(options.clock, options.blocked);
    const { admission, tls: settings, clock, log } = options;
    if (admission && admission.ratePerSec > 0)
      this.admission = new SourceAdmission(admission, clock, log, this.counters);
    if (settings && options.listeners.some(({ protocol }) => isOverTls(protocol)))
      this.credentials = new TlsCredentials({ settings, clock, log, counters: this.counters });
  }

  /** Open connections of all listeners. */
  get connectionCount(): number {
    return this.listeners.reduce((sum, listener) => sum + listener.connectionCount, 0);
  }

  /** Open connections by protocol; those without any are left out. */
  connections(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { bound, connectionCount } of this.listeners)
      if (connectionCount > 0) counts[bound.protocol] = (counts[bound.protocol] ?? 0) + connectionCount;
    return counts;
  }

  /** Sources that admission remembers. */
  get sourceCount(): number {
    return this.admission?.sourceCount ?? 0;
  }

  /** Opens every listener, or none: rejects with TransportError `LISTEN_FAILED`. */
  async start(): Promise<BoundListener[]> {
    const context = this.context();
    try {
      await this.credentials?.start();
      for (const spec of this.options.listeners) {
        const listener = createListener(spec, context);
        this.listeners.push(listener);
        await listener.start();
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    return this.listeners.map((listener) => listener.bound);
  }

  /** Whether a connection can still carry requests. */
  hasFlow(flow: FlowId): boolean {
    return this.listeners.some((listener) => listener.hasFlow?.(flow));
  }

  outlet(hop: Hop): Outlet {
    if (this.closing) throw new ClosedError('transport layer');
    const face = this.faces.find(hop.protocol, hop.address) ?? this.faceTo(hop);
    return new ListenerOutlet(hop, face.sentBy, face.listener, this.watch);
  }

  respond(bytes: Buffer, source: Source, topVia: Via | undefined, failure?: SendFailureListener): void {
    const listener = this.listenerOf(source);
    this.watch.sentResponse(bytes, source);
    if (listener) listener.sendResponse(bytes, source, topVia, failure);
    else if (failure)
      process.nextTick(() =>
        failure.onSendFailure(new TransportError('NO_LISTENER', 'the listener is gone')),
      );
  }

  /** What a peer should know a listener by: in Via (RFC 3261 §18.1.1) and in Contact. */
  sentBy(listener: BoundListener, peerAddress: string): SentBy {
    const advertised = this.options.advertise?.(listener, peerAddress);
    if (advertised) return advertised;
    const { address, port } = listener;
    return { host: isWildcard(address) ? this.localAddresses.find(peerAddress) : address, port };
  }

  /** Changes who is not heard; connections of those who are not any more are closed. Throws BlockedSourceError. */
  block(change: BlockChange): void {
    this.blocked.change(change);
    for (const listener of this.listeners) listener.dropBlocked?.();
  }

  /** Reads certificates anew; false when they are no good, and those read before stay. */
  reloadCertificates(): boolean {
    return this.credentials?.reload() ?? true;
  }

  close(): Promise<void> {
    const parts = [...this.listeners, ...(this.credentials ? [this.credentials] : [])];
    this.closing ??= Promise.all(parts.map((part) => part.close())).then(() => {});
    return this.closing;
  }

  /** Remembered, also as an address of ours in Via that responses come back with. */
  private faceTo(hop: Hop): Face {
    const listener = selectListener(this.listeners, hop, (peer) => this.localAddresses.find(peer));
    if (!listener)
      throw new TransportError('NO_LISTENER', `no ${hop.protocol} listener can reach ${hop.address}`);
    const sentBy = this.sentBy(listener.bound, hop.address);
    this.ownSentBys.add(sentBy);
    return this.faces.remember(hop.protocol, hop.address, { listener, sentBy });
  }

  private context(): ListenerContext {
    return {
      clock: this.options.clock,
      log: this.options.log,
      limits: this.limits,
      counters: this.counters,
      blocked: this.blocked,
      admission: this.admission,
      origins: this.options.origins,
      credentials: () => this.credentials ?? noCredentials(),
      findForResponse: this.options.findForResponse,
      nextFlow: () => ++this.lastFlow,
      accept: (message, source) => this.accept(message, source),
      reject: (error, source) => this.reject(error, source),
    };
  }

  private listenerOf(source: Source): Listener | undefined {
    return this.listeners.find(
      ({ bound }) =>
        bound.port === source.localPort &&
        bound.protocol === source.protocol &&
        bound.address === source.localAddress,
    );
  }

  private accept(message: SipMessage, source: Source): void {
    if (this.closing) return;
    this.watch.received(message, source);
    const { topVia } = message;
    if (!topVia || !isFrom(topVia, source)) {
      this.counters.viaDropped++;
      return;
    }
    if (message.type === 'request') {
      this.counters.requestsReceived++;
      // RFC 5923 §7.2
      if (source.protocol === 'tls' && topVia.params.has('alias'))
        this.listenerOf(source)?.alias?.(source, topVia);
      markSource(message, topVia, source);
    } else {
      this.counters.responsesReceived++;
      // RFC 3261 §18.1.2
      if (!this.ownSentBys.has(topVia)) {
        this.counters.foreignResponsesDropped++;
        return;
      }
    }
    this.handOver(message, source);
  }

  /** A fault of ours in one message must not take the others down. */
  private handOver(message: SipMessage, source: Source): void {
    try {
      this.onMessage(message, source);
    } catch (error) {
      this.options.log.error({ err: error, callId: message.callId }, 'handling a message failed');
    }
  }

  private reject(error: SipParseError, source: Source): Buffer | undefined {
    this.counters.parseErrors++;
    const response = this.mayAnswer() ? parseFailureResponse(error, source) : undefined;
    if (response) this.counters.errorResponses++;
    this.onParseError(error, source);
    return response;
  }

  private mayAnswer(): boolean {
    const nowMs = this.options.clock.monotonic();
    if (nowMs - this.errorResponses.secondMs >= 1000) this.errorResponses = { secondMs: nowMs, count: 0 };
    return ++this.errorResponses.count <= this.limits.maxErrorResponsesPerSecond;
  }
}

function isOverTls(protocol: Protocol): boolean {
  return protocol === 'tls' || protocol === 'wss';
}

function noCredentials(): never {
  const line = opensslLine('cert.pem', 'key.pem');
  throw new TransportError('LISTEN_FAILED', `TLS needs a certificate and a key; to make them: ${line}`);
}
