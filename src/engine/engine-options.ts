import type { Clock } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import type { AdvertisedAddress, AdvertiseRule } from './advertise.js';
import type { CapturedMessage, CaptureFilter, CaptureState } from './capture/message-capture.js';
import type { CoreCounters } from './core/core-counters.js';
import type { ScreenSettings } from './core/request-screen.js';
import type { MalformedReport } from './malformed-reports.js';
import type { OverloadSettings, OverloadStats } from './overload.js';
import type { ResolveCounters } from './resolve/limits.js';
import type { RequestHandlerSettings } from './routing/new-request-router.js';
import type { DialogJournalOptions } from './survival/dialog-journal.js';
import type { TransactionCounts } from './transaction/transaction-layer.js';
import type { BlockChange, DroppedSource } from './transport/blocked-sources.js';
import type { TransportCounters } from './transport/counters.js';
import type { TransportLimits } from './transport/limits.js';
import type { AdmissionSettings } from './transport/source-admission.js';
import type { TlsSettings } from './transport/tls/tls-settings.js';
import type { TrafficStats } from './transport/traffic.js';
import type { BoundListener, ListenerSpec } from './transport/types.js';
import type { TimerSettings } from './types.js';
import type { UdpQueueStats } from './udp-queues.js';

/** What an engine is started with. All of it is plain data but `log` and `clock`, so that it can go to a worker. */
export interface EngineOptions {
  /** Port 0 lets the system choose. */
  readonly sipListen: readonly ListenerSpec[];
  readonly admin: {
    /** Default 127.0.0.1. */
    readonly host?: string;
    /** Default 9022; 0 lets the system choose. */
    readonly port?: number;
    /** What applications authenticate with; not empty. */
    readonly secret: string;
    /** A second port for applications, over TLS. Default: none. Files are PEM, and read again when they change. */
    readonly tls?: {
      /** Default: that of the other port. */
      readonly host?: string;
      readonly port: number;
      readonly certificateFile: string;
      readonly keyFile: string;
    };
    /** Seconds of silence after which TCP asks whether an application is still there; 0: never. Default 45. */
    readonly keepAliveSec?: number;
    /** Bytes that may wait for an application that reads too slowly, before it is disconnected. Default 32 MiB. */
    readonly maxBacklogBytes?: number;
  };
  /** Default: what listeners are bound to; for a wildcard the address on the route to the peer. */
  readonly advertised?: AdvertisedAddress;
  /** What peers of some networks are told instead of `advertised`. */
  readonly advertise?: readonly AdvertiseRule[];
  /** Default: those of RFC 3261. */
  readonly timers?: Partial<TimerSettings>;
  /** Whether in-dialog requests go back to where a peer was seen when its Contact says otherwise; default true. */
  readonly detectNat?: boolean;
  /** IP addresses and networks (CIDR) that are not heard; default none. */
  readonly blockedSources?: readonly string[];
  /**
   * Turns of a busy event loop end so far apart, milliseconds (TurnEnd). Default 0: as they come. The whole thread rests between them, so
   * it has to be the engine's own.
   */
  readonly paceMs?: number;
  /** Requests that the engine answers itself; default none. */
  readonly screen?: ScreenSettings;
  /** Who decides about new requests, by SIP method; default: they go to applications that asked for the method. */
  readonly requestHandlers?: readonly RequestHandlerSettings[];
  /** Whether applications we connect to over TLS must have a good certificate; default false. */
  readonly verifyApplications?: boolean;
  /** Each INVITE gets a 180 at once; default false. */
  readonly alwaysSend180?: boolean;
  /** How much of one source is taken; what is left out is DEFAULT_ADMISSION's. */
  readonly admission?: Partial<AdmissionSettings>;
  /** When new requests are refused; what is left out is DEFAULT_OVERLOAD's. */
  readonly overload?: Partial<OverloadSettings>;
  /** Certificates; needed when something listens with `tls` or `wss`. */
  readonly tls?: TlsSettings;
  /** Pages that may open a WebSocket, by Origin (`https://phone.example`); default and empty: all. */
  readonly origins?: readonly string[];
  /** Bounds on peers; what is left out is DEFAULT_TRANSPORT_LIMITS'. */
  readonly transportLimits?: Partial<TransportLimits>;
  /** DNS servers, `address` or `address:port`; default: the machine's. */
  readonly dnsServers?: readonly string[];
  /** Larger requests to UDP peers go by TCP where that works (RFC 3261 §18.1.1); bytes, 0: never, default 1300. */
  readonly udpMaxBytes?: number;
  /** Where confirmed dialogs are kept, so that the next engine goes on with them; default: they are lost with this one. */
  readonly dialogJournal?: DialogJournalOptions;
  /** Default: silent. */
  readonly log?: Logger;
  readonly clock?: Clock;
}

export interface EngineStats {
  readonly applications: number;
  readonly dialogs: number;
  /** Requests that wait for an application. */
  readonly pendingRequests: number;
  readonly overload: OverloadStats;
  /** Requests that are being proxied, those included that only absorb repetitions any more. */
  readonly proxiedRequests: number;
  readonly core: Readonly<CoreCounters>;
  readonly transport: Readonly<TransportCounters>;
  readonly transactions: TransactionCounts & {
    /** Requests that got no transaction: for want of room, or in an overload. */
    readonly refused: number;
    /** Transactions of refused requests that were forgotten early, since a flood left too many. */
    readonly forgotten: number;
  };
  readonly resolve: Readonly<ResolveCounters>;
  /** Messages by transport, direction, method and status class. */
  readonly traffic: TrafficStats;
  /** Open connections by transport. */
  readonly connections: Readonly<Record<string, number>>;
  /** Sources whose share admission keeps. */
  readonly sources: number;
  /** What the kernel keeps for the engine, and could not keep. */
  readonly udpQueues: UdpQueueStats;
}

/** What an operator's capture holds. */
export interface Captured {
  readonly state: CaptureState;
  readonly messages: readonly CapturedMessage[];
}

/** A SIP engine that takes applications on its admin port. */
export interface Engine extends Closeable {
  readonly adminPort: number;
  /** Undefined without TLS on the admin port. */
  readonly adminTlsPort: number | undefined;
  readonly listeners: readonly BoundListener[];
  stats(): EngineStats;
  /** Reads certificates anew, for new connections; false, and an error in the log, when they are no good. */
  reload(): boolean;
  /** Begins to keep messages of the wire, those kept before being dropped. */
  startCapture(filter: CaptureFilter): CaptureState;
  /** Keeps no more of them. */
  stopCapture(): CaptureState;
  readCapture(): Captured;
  /** Changes whom the engine does not hear, at first `blockedSources`; connections of these are closed. Throws BlockedSourceError. */
  block(change: BlockChange): void;
  /** What was dropped of the newest sources that are not heard. */
  dropped(): readonly DroppedSource[];
  /** Told, at most once a second, who sent what is no SIP. */
  onMalformed: (reports: readonly MalformedReport[]) => void;
}
